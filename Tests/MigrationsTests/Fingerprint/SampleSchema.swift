/// A schema with one of nearly everything.
enum SampleSchema {
    static let postgres = #"""
        CREATE EXTENSION pg_trgm; CREATE EXTENSION hstore;
        CREATE SCHEMA app; CREATE SCHEMA belay; CREATE TABLE belay.hidden (id int);
        CREATE TYPE app.status AS ENUM ('new', 'paid'); ALTER TYPE app.status ADD VALUE 'packed' BEFORE 'paid';
        CREATE DOMAIN app.email AS text COLLATE "C" NOT NULL DEFAULT 'x' CHECK (VALUE ~ '@');
        CREATE TYPE app.place AS (street text, town varchar(20));
        CREATE TYPE app.span AS RANGE (subtype = float8);
        CREATE TABLE app.customers (id bigserial PRIMARY KEY, "E-Mail" app.email, kind varchar(10) CHECK (kind IN ('a', 'b''],)')), place app.place,
         n int CHECK (n::bigint IN (1, -2, 3)), t text CHECK (t::varchar IN ('x','y')));
        CREATE TABLE app.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer bigint REFERENCES app.customers ON DELETE CASCADE,
         status app.status DEFAULT 'new', note text COLLATE "C" DEFAULT E'two\nlines', total numeric(10,2) NOT NULL, twice numeric GENERATED ALWAYS AS (total * 2) STORED,
         tags hstore, dropped int, during int4range, EXCLUDE USING gist (during WITH &&)) WITH (fillfactor = 70, toast.autovacuum_enabled = false);
        ALTER TABLE app.orders DROP COLUMN dropped;
        ALTER TABLE app.orders ADD CONSTRAINT positive CHECK (total > 0) NOT VALID;
        CREATE INDEX orders_note ON app.orders USING gin (note gin_trgm_ops) WHERE note <> '';
        CREATE INDEX ON app.orders (lower(note), total DESC NULLS LAST) INCLUDE (customer);
        CREATE STATISTICS app.stat ON customer, status FROM app.orders;
        CREATE TABLE app.events (at timestamptz NOT NULL, id int, customer bigint REFERENCES app.customers, PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
        CREATE TABLE app.events_1 PARTITION OF app.events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        CREATE TABLE app.events_d PARTITION OF app.events DEFAULT;
        CREATE INDEX events_customer ON app.events (customer);
        CREATE TABLE app.child (more text) INHERITS (app.customers);
        CREATE UNLOGGED TABLE public.cache (k text PRIMARY KEY, v jsonb); ALTER TABLE public.cache REPLICA IDENTITY FULL;
        CREATE VIEW app.open_orders WITH (security_barrier) AS SELECT o.*, c.kind FROM app.orders o JOIN app.customers c ON c.id = o.customer WHERE c.kind IN ('a', 'b') AND status <> 'paid';
        CREATE MATERIALIZED VIEW app.totals AS SELECT customer, sum(total) FROM app.orders GROUP BY 1 WITH NO DATA;
        CREATE UNIQUE INDEX ON app.totals (customer);
        CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          NEW.note := 'x; y'; RETURN NEW; END $$;
        CREATE FUNCTION app.plus(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE RETURN a + b;
        CREATE PROCEDURE app.act(INOUT x int) LANGUAGE sql AS 'SELECT x';
        CREATE AGGREGATE app.mul(int) (SFUNC = int4mul, STYPE = int, INITCOND = '1');
        CREATE OPERATOR app.@+@ (LEFTARG = int, RIGHTARG = int, FUNCTION = app.plus);
        CREATE TRIGGER touch BEFORE UPDATE OF note, total ON app.orders FOR EACH ROW WHEN (OLD.note IS DISTINCT FROM NEW.note) EXECUTE FUNCTION app.touch();
        ALTER TABLE app.orders DISABLE TRIGGER touch;
        CREATE TRIGGER ev BEFORE INSERT ON app.events FOR EACH ROW EXECUTE FUNCTION app.touch();
        CREATE SEQUENCE app.lone AS smallint INCREMENT 5 CYCLE;
        ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY; ALTER TABLE app.orders FORCE ROW LEVEL SECURITY;
        CREATE POLICY own ON app.orders FOR SELECT USING (note = current_user) ;
        CREATE RULE quiet AS ON DELETE TO app.customers DO INSTEAD NOTHING;
        CREATE FUNCTION public.et() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
        CREATE EVENT TRIGGER et ON ddl_command_end WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION public.et();
        COMMENT ON COLUMN app.orders.note IS 'it''s'; COMMENT ON TABLE app.orders IS 'the orders'; COMMENT ON CONSTRAINT positive ON app.orders IS 'c';
        COMMENT ON FUNCTION app.plus(int,int) IS 'f'; COMMENT ON INDEX app.orders_note IS 'i';
        CREATE TABLE public.schema_migrations (version varchar PRIMARY KEY, n serial); COMMENT ON COLUMN public.schema_migrations.version IS 'v';
        ALTER TABLE app.orders ALTER note SET STORAGE external; ALTER TABLE app.orders ALTER note SET COMPRESSION pglz;
        CREATE PUBLICATION pub FOR TABLE app.orders;
        """#
}
