import SQLParsing
import Testing

@Suite struct LimitTests {
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    // MARK: Nesting

    /// The parser itself gives up on some; of others no tree is looked into. None may crash, whatever stack the caller has.
    @Test(arguments: [
        ("(", "1", ")"), ("", "1", " + 1"), ("NOT ", "true", ""), ("(SELECT ", "1", ")"), ("ARRAY[", "1", "]"), ("", "a", "::int"),
        ("", "1", " IS NULL"), ("", "a", " COLLATE x"), ("", "1", " || f()"), ("CASE WHEN ", "a", " THEN 1 END"),
        ("", "1", " UNION SELECT 1"),
        ("", "a FROM a", " JOIN b ON true"), ("", "a", ".b[1]"), ("- ", "1", ""), ("", "1", " AT TIME ZONE x"),
    ]) func deepNestingDoesNotCrash(_ before: String, _ inner: String, _ after: String) {
        for depth in [4_000, 60_000] {
            let sql = "SELECT " + String(repeating: before, count: depth) + inner + String(repeating: after, count: depth)
            do throws(ParseError) {
                let facts = try ScriptFacts(sql, dialect: .postgres)
                #expect(facts.statements.count == 1)
            } catch {
                #expect(
                    error.message.contains("nested too deeply") || error.message.contains("syntax error"), "\(error.message.prefix(200))")
            }
            // Some of it is no SQL of SQLite.
            do throws(ParseError) { _ = try ScriptFacts(sql, dialect: .sqlite) } catch {
                #expect(
                    error.message.contains("syntax error") || error.message.hasPrefix("unrecognized token"), "\(error.message.prefix(200))")
            }
        }
    }

    @Test func whatIsTooDeepToBeLookedIntoIsOpaque() throws {
        let sum = "SELECT 1" + String(repeating: " + 1", count: 100_000)
        let facts = try #require(ScriptFacts(sum, dialect: .postgres).facts.first)
        #expect(facts.risk == .rowsAtRisk)
        #expect(facts.losses == [.init(.opaque, "")])
        #expect(facts.cautions == ["too long or too deeply nested to be looked into"])
        #expect(facts.summary.count == 100)
    }

    // MARK: Length

    @Test(arguments: SQLDialect.allCases) func aLongScriptIsRead(_ dialect: SQLDialect) throws {
        let script = (0..<8_000).map { "INSERT INTO t (a, b) VALUES (\($0), 'x;y ü'); -- note\n" }.joined() + "DROP TABLE t;"
        let facts = try ScriptFacts(script, dialect: dialect)
        #expect(facts.statements.count == 8_001)
        #expect(facts.statements.last?.line == 8_001)
        #expect(facts.losses == [.init(.table, "t")])
    }

    @Test func veryManyRowsAreReadWithoutTheirConstants() throws {
        let rows = (0..<20_000).map { "(\($0), 'x', NULL, -1.5)" }
        let insert = "INSERT INTO s.t (a, b, c, d) VALUES " + rows.joined(separator: ", ")
        let plain = try #require(ScriptFacts(insert, dialect: .postgres).facts.first)
        #expect(plain.risk == .additive)
        #expect(plain.relations == ["s.t"])
        let replacing = try ScriptFacts(insert + " ON CONFLICT (a) DO UPDATE SET b = 1", dialect: .postgres)
        #expect(replacing.losses == [.init(.rows, "s.t")])
        let calling = try ScriptFacts(insert + ", (1, 'x', clean_up(), 2)", dialect: .postgres)
        #expect(calling.losses == [.init(.opaque, "")])
        #expect(
            SQLScript.cosmeticFingerprint(insert, dialect: .postgres) != SQLScript.cosmeticFingerprint(insert + ", (1)", dialect: .postgres)
        )
    }

    // MARK: Anything

    @Test(arguments: SQLDialect.allCases) func randomBytesDoNotCrash(_ dialect: SQLDialect) {
        var random = Seeded(state: 7)
        let pieces = [
            "SELECT ", "'", "\"", "$$", "$a$", ";", "(", ")", "--", "/*", "*/", "\\", "\n", "é", "\0", "BEGIN", "COMMIT", " t ", "1", ",",
            "E'",
            "U&\"", "COPY t FROM STDIN;", "\u{FEFF}", "CREATE TRIGGER ", "END", "[", "`", "DROP TABLE ", "ALTER TABLE t ", "RENAME ",
            " TO ", ".",
            "x'", "\r\n", "$1", "WITH x AS (DELETE FROM t) ", "\u{1F600}", "stdin;", "INSERT INTO ", "CREATE FUNCTION f() RETURNS int ",
            "BEGIN ATOMIC ",
        ]
        for _ in 0..<2_500 {
            let isBytes = Bool.random(using: &random)
            let script =
                isBytes
                ? String(
                    decoding: (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) },
                    as: UTF8.self)
                : (0..<Int.random(in: 0...14, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            _ = try? ScriptFacts(script, dialect: dialect)
            _ = try? SQLScript.inverse(of: script, dialect: dialect)
            _ = SQLScript.cosmeticFingerprint(script, dialect: dialect)
            guard let statements = try? SQLScript.statements(script, dialect: dialect) else { continue }
            for statement in statements {
                #expect(Array(script.utf8)[statement.offset...].starts(with: statement.text.utf8), "\(script.debugDescription)")
            }
            let joined = statements.map(\.text).joined(separator: " ; ")
            let again = try? SQLScript.statements(joined, dialect: dialect)
            #expect(again?.map(\.text) == statements.map(\.text), "\(script.debugDescription)")
            #expect(
                (try? SQLScript.removingOuterTransaction(script, dialect: dialect))?.script.isEmpty
                    == (statements.isEmpty && script.isEmpty))
        }
    }
}
