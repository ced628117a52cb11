import SQLParsing
import Testing

struct NameTests {
    @Test(
        arguments: [
            ("plain", "orders", ["orders"], "\"orders\""),
            ("with a schema", "public.Orders", ["public", "Orders"], "\"public\".\"Orders\""),
            ("a point within", "app.\"we.ird\"", ["app", "we.ird"], "\"app\".\"we.ird\""),
            ("a quotation mark within", "\"a\"\"b\".c", ["a\"b", "c"], "\"a\"\"b\".\"c\""),
            ("nothing", "", [], ""),
        ] as [(String, String, [String], String)]) func aNameIsReadInParts(
            _ why: String, _ text: String, _ parts: [String], _ quoted: String
        )
    {
        let name = ObjectName(text)
        #expect(name.parts == parts, "\(why)")
        #expect(name.quoted == quoted)
        #expect(name.text == text)
    }

    @Test(
        arguments: [
            ("back over two renamings", "ALTER TABLE a RENAME TO b; ALTER TABLE b RENAME TO c; DROP TABLE c", ["a"], false),
            ("another table's renaming is none of its own", "ALTER TABLE s.a RENAME TO b; DROP TABLE t.b", ["t.b"], false),
            ("the schema of the later name holds for the earlier one", "ALTER TABLE a RENAME TO b; DROP TABLE s.b", ["s.a"], false),
            ("a table of a schema's new name is not the schema", "ALTER SCHEMA s RENAME TO u; DROP TABLE u", ["u"], false),
            ("all that the path may mean", "SET search_path TO s, \"T\"; DROP TABLE a", ["s.a", "T.a", "a"], false),
            ("a setting's text", "SELECT set_config('search_path', 'S, \"T\"', true); DROP TABLE a", ["s.a", "T.a", "a"], false),
            ("another setting", "SELECT set_config('lock_timeout', '1s', true); DROP TABLE a", ["a"], false),
            ("another role", "SET ROLE x; DROP TABLE a", ["a"], true),
            ("the first role again", "SET ROLE x; RESET ROLE; DROP TABLE a", ["a"], false),
            ("a path in full holds for every role", "SET ROLE x; SET search_path TO s; DROP TABLE a", ["s.a", "a"], false),
            (
                "renamed under one path and lost under another", "ALTER TABLE a RENAME TO b; SET search_path TO s; DROP TABLE b",
                ["s.a", "a"], true
            ),
            ("an extension takes objects along", "ALTER EXTENSION e SET SCHEMA s; DROP TABLE a", ["a"], true),
        ] as [(String, String, [String], Bool)]) func aLossIsFollowedBack(
            _ why: String, _ script: String, _ names: [String], _ isUncertain: Bool
        ) throws
    {
        let loss = try #require(try ScriptFacts(script, dialect: .postgres).losses.last)
        #expect(loss.names.map(\.text) == names, "\(why)")
        #expect(loss.isUncertain == isUncertain)
    }
}
