/// One migration that was made up, with the way back.
struct GeneratedMigration: Sendable {
    var stem: String
    var up: String
    var down: String
    var isTransactional = true
}

extension Operator {
    func write(_ migration: GeneratedMigration) throws {
        try write(migration.stem, up: migration.up, down: migration.down, isTransactional: migration.isTransactional)
    }
}

/// Makes migrations up that follow from each other: tables, columns, indexes, constraints, views, functions, data; some of them take
/// something away, some cannot run inside a transaction. The way back of each leads to exactly the schema before it.
struct MigrationGenerator {
    private struct Table {
        var name: String
        /// Beside `id`, `name` and `amount`, which every table has and keeps.
        var columns: [(name: String, definition: String)] = []
        /// Those of them that something needs.
        var used: Set<String> = []
        /// Name and the whole statement.
        var indexes: [(name: String, sql: String)] = []
        var constraints: [(name: String, sql: String)] = []
        var hasView = false
        var defaultAmount: Int?

        var creation: String {
            let own = ["id integer PRIMARY KEY", "name text NOT NULL DEFAULT ''", "amount integer"]
            return "CREATE TABLE \(name) (\((own + columns.map { "\($0.name) \($0.definition)" }).joined(separator: ", ")));"
        }

        var isDroppable: Bool { !hasView && constraints.isEmpty && defaultAmount == nil }
    }

    private let engine: Operator.Engine
    private var random: Seeded
    private var tables: [Table] = []
    private var number = 0

    private init(_ engine: Operator.Engine, seed: UInt64) {
        self.engine = engine
        random = Seeded(state: seed)
    }

    static func make(_ count: Int, for engine: Operator.Engine, seed: UInt64) -> [GeneratedMigration] {
        var generator = MigrationGenerator(engine, seed: seed)
        return (1...count).map { _ in generator.next() }
    }

    private mutating func next() -> GeneratedMigration {
        number += 1
        while true {
            let kind = Int.random(in: 0..<15, using: &random)
            guard var made = tables.count < 2 ? createTable() : make(kind) else { continue }
            made.stem = Operator.stem(number)
            return made
        }
    }

    private mutating func make(_ kind: Int) -> GeneratedMigration? {
        switch kind {
        case 0, 1: createTable()
        case 2, 3: addColumn()
        case 4: dropColumn()
        case 5: renameColumn()
        case 6: createIndex()
        case 7: dropIndex()
        case 8: addConstraint()
        case 9: createView()
        case 10: insertRows()
        case 11: dropTable()
        case 12: createIndexConcurrently()
        case 13: createFunction()
        default: setDefault()
        }
    }

    private func migration(_ up: String, _ down: String, isTransactional: Bool = true) -> GeneratedMigration {
        GeneratedMigration(stem: "", up: up, down: down, isTransactional: isTransactional)
    }

    private mutating func any(where isFit: (Table) -> Bool = { _ in true }) -> Int? {
        tables.indices.filter { isFit(tables[$0]) }.randomElement(using: &random)
    }

    private mutating func createTable() -> GeneratedMigration? {
        let table = Table(name: "t\(number)")
        tables.append(table)
        return migration(table.creation, "DROP TABLE \(table.name);")
    }

    private mutating func addColumn() -> GeneratedMigration? {
        guard let index = any() else { return nil }
        let column = ("c\(number)", ["text", "integer DEFAULT 7", "text DEFAULT 'x; y'"].randomElement(using: &random) ?? "text")
        tables[index].columns.append(column)
        let table = tables[index].name
        return migration("ALTER TABLE \(table) ADD COLUMN \(column.0) \(column.1);", "ALTER TABLE \(table) DROP COLUMN \(column.0);")
    }

    private static func free(_ table: Table) -> [Int] { table.columns.indices.filter { !table.used.contains(table.columns[$0].name) } }

    private mutating func dropColumn() -> GeneratedMigration? {
        guard let index = any(where: { !Self.free($0).isEmpty }), let place = Self.free(tables[index]).randomElement(using: &random) else {
            return nil
        }
        let column = tables[index].columns.remove(at: place)
        let table = tables[index].name
        return migration(
            "ALTER TABLE \(table) DROP COLUMN \(column.name);", "ALTER TABLE \(table) ADD COLUMN \(column.name) \(column.definition);")
    }

    private mutating func renameColumn() -> GeneratedMigration? {
        guard let index = any(where: { !Self.free($0).isEmpty }), let place = Self.free(tables[index]).randomElement(using: &random) else {
            return nil
        }
        let old = tables[index].columns[place].name
        tables[index].columns[place].name = "r\(number)"
        let table = tables[index].name
        return migration(
            "ALTER TABLE \(table) RENAME COLUMN \(old) TO r\(number);", "ALTER TABLE \(table) RENAME COLUMN r\(number) TO \(old);")
    }

    private mutating func createIndex(_ how: String = "") -> GeneratedMigration? {
        guard let index = any() else { return nil }
        let extra = Self.free(tables[index]).randomElement(using: &random).map { tables[index].columns[$0].name }
        if let extra { tables[index].used.insert(extra) }
        let table = tables[index].name
        let sql = "ON \(table) (\((["amount"] + (extra.map { [$0] } ?? [])).joined(separator: ", ")));"
        tables[index].indexes.append(("i\(number)", "CREATE INDEX i\(number) \(sql)"))
        return migration("CREATE INDEX\(how) i\(number) \(sql)", "DROP INDEX\(how) i\(number);", isTransactional: how.isEmpty)
    }

    private mutating func createIndexConcurrently() -> GeneratedMigration? {
        engine == .sqlite ? nil : createIndex(" CONCURRENTLY")
    }

    private mutating func dropIndex() -> GeneratedMigration? {
        guard let index = any(where: { !$0.indexes.isEmpty }) else { return nil }
        // Its columns stay in use, which is more careful than it has to be.
        let dropped = tables[index].indexes.removeLast()
        return migration("DROP INDEX \(dropped.name);", dropped.sql)
    }

    private mutating func addConstraint() -> GeneratedMigration? {
        // A default that refers to no row would keep rows from being inserted.
        guard let index = any(where: { $0.defaultAmount == nil }) else { return nil }
        let table = tables[index].name
        let name = "k\(number)"
        // SQLite adds no constraints to a table that is there.
        if engine == .sqlite {
            let sql = "CREATE UNIQUE INDEX \(name) ON \(table) (id, amount);"
            tables[index].indexes.append((name, sql))
            return migration(sql, "DROP INDEX \(name);")
        }
        let sql =
            [
                "ALTER TABLE \(table) ADD CONSTRAINT \(name) CHECK (amount > \(-number));",
                "ALTER TABLE \(table) ADD CONSTRAINT \(name) UNIQUE (id, amount);",
                "ALTER TABLE \(table) ADD CONSTRAINT \(name) FOREIGN KEY (amount) REFERENCES \(table) (id);",
            ].randomElement(using: &random) ?? ""
        tables[index].constraints.append((name, sql))
        return migration(sql, "ALTER TABLE \(table) DROP CONSTRAINT \(name);")
    }

    private mutating func createView() -> GeneratedMigration? {
        guard let index = any() else { return nil }
        tables[index].hasView = true
        return migration("CREATE VIEW v\(number) AS SELECT id, name FROM \(tables[index].name);", "DROP VIEW v\(number);")
    }

    private mutating func insertRows() -> GeneratedMigration? {
        guard let index = any() else { return nil }
        let table = tables[index].name
        return migration(
            "INSERT INTO \(table) (id, name) VALUES (\(number), 'it''s; number \(number)');",
            "DELETE FROM \(table) WHERE id = \(number);")
    }

    /// Together with an index, so that one migration has several statements.
    private mutating func dropTable() -> GeneratedMigration? {
        guard tables.count > 3, let index = any(where: \.isDroppable) else { return nil }
        let table = tables.remove(at: index)
        return migration("DROP TABLE \(table.name);", ([table.creation] + table.indexes.map(\.sql)).joined(separator: "\n"))
    }

    private mutating func createFunction() -> GeneratedMigration? {
        guard engine == .postgres else { return nil }
        return migration(
            """
            CREATE FUNCTION f\(number)(a integer) RETURNS integer LANGUAGE plpgsql AS $body$
            BEGIN
              -- One; two.
              IF a > \(number) THEN RETURN 1; END IF;
              RETURN a;
            END;
            $body$;
            CREATE TYPE e\(number) AS ENUM ('one', 'two');
            """, "DROP TYPE e\(number);\nDROP FUNCTION f\(number)(integer);")
    }

    private mutating func setDefault() -> GeneratedMigration? {
        guard engine == .postgres, let index = any(where: \.constraints.isEmpty) else { return nil }
        let table = tables[index]
        tables[index].defaultAmount = number
        return migration(
            "ALTER TABLE \(table.name) ALTER COLUMN amount SET DEFAULT \(number);",
            "ALTER TABLE \(table.name) ALTER COLUMN amount "
                + (table.defaultAmount.map { "SET DEFAULT \($0);" } ?? "DROP DEFAULT;"))
    }
}
