import SQLParsing

/// Tables and columns that migrations of one pass have made: what is lost with them was nobody's before.
struct MadeOnTheWay: Sendable, Hashable {
    private var tables: Set<String> = []
    private var columns: Set<Column> = []

    private struct Column: Hashable {
        var table: String
        var column: String
    }

    mutating func add(_ script: ScriptFacts) {
        for facts in script.facts {
            switch facts.probe {
            case .created(.table, let name): tables.insert(Self.plain(name))
            case .columnAdded(let table, let column): columns.insert(Column(table: Self.plain(table), column: Self.plain(column)))
            case .dropped(.table, let name): tables.remove(Self.plain(name))
            default: break
            }
        }
    }

    func holds(_ loss: StatementFacts.Loss) -> Bool {
        guard !loss.cascades, [.table, .column, .rows].contains(loss.kind) else { return false }
        if tables.contains(Self.plain(loss.object)) { return true }
        guard loss.kind == .column, let column = loss.column else { return false }
        return columns.contains(Column(table: Self.plain(loss.object), column: Self.plain(column)))
    }

    /// Without quotation marks and without the schema that is the default.
    private static func plain(_ name: String) -> String {
        let name = name.filter { $0 != "\"" && $0 != "`" }
        return name.hasPrefix("public.") ? String(name.dropFirst("public.".count)) : name
    }
}
