/// Functions of PostgreSQL itself that change no rows.
enum KnownFunctions {
    /// Not volatile: a default of them does not rewrite the table.
    static let stable: Set<String> = words(
        """
        abs array_agg array_append array_cat array_length array_position array_prepend array_remove array_replace array_to_json
        array_to_string avg bool_and bool_or btrim cardinality ceil ceiling char_length coalesce concat concat_ws convert_from convert_to
        count current_database current_schema current_schemas current_setting date_bin date_part date_trunc decode digest encode every exp
        extract floor format format_type gcd greatest has_table_privilege host initcap int4range int8range isfinite json_agg
        json_array_length json_build_array json_build_object json_object json_object_agg jsonb_agg jsonb_array_elements
        jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path
        jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_agg jsonb_object_keys jsonb_path_exists jsonb_path_query jsonb_pretty
        jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof json_typeof justify_days justify_hours
        justify_interval lag last_value lead least left length lower lpad ltrim make_date make_interval make_time make_timestamp
        make_timestamptz max md5 min mod now nth_value ntile nullif numrange obj_description octet_length overlay percentile_cont
        percentile_disc pg_get_constraintdef pg_get_expr pg_get_functiondef pg_get_indexdef pg_get_serial_sequence pg_get_viewdef
        pg_relation_size pg_size_pretty pg_table_is_visible pg_table_size pg_total_relation_size pg_typeof pg_type_is_visible plainto_tsquery
        position power quote_ident quote_literal quote_nullable regexp_count regexp_match regexp_matches regexp_replace
        regexp_split_to_array regexp_split_to_table repeat replace reverse right round row_number rank dense_rank row_to_json rpad rtrim
        setweight sha224 sha256 sha384 sha512 sign similarity split_part sqrt starts_with statement_timestamp stddev string_agg
        string_to_array string_to_table strpos substr substring sum to_char to_date to_hex to_json to_jsonb to_number to_regclass to_regtype
        to_timestamp to_tsquery to_tsvector transaction_timestamp translate trim trunc tsrange tstzrange txid_current unaccent unnest upper
        variance version width_bucket xpath timezone age first_value
        """)

    /// Volatile ones too, where nothing is lost by calling them.
    static let harmless: Set<String> = stable.union(
        words(
            """
            clock_timestamp currval gen_random_bytes gen_random_uuid gen_salt crypt generate_series generate_subscripts lastval nextval
            pg_advisory_lock pg_advisory_unlock pg_advisory_xact_lock pg_backend_pid pg_current_xact_id pg_notify pg_sleep
            pg_try_advisory_lock pg_try_advisory_xact_lock random set_config setseed setval timeofday uuid_generate_v1 uuid_generate_v1mc
            uuid_generate_v4 uuid_generate_v5
            """))

    private static func words(_ text: String) -> Set<String> { Set(text.split { $0 == " " || $0 == "\n" }.map(String.init)) }
}
