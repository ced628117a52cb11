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
            case .columnAdded(let table, let column): columns.insert(Column(table: Self.plain(table), column: column))
            case .dropped(.table, let name): tables.remove(Self.plain(name))
            default: break
            }
        }
    }

    func holds(_ loss: StatementFacts.Loss) -> Bool {
        guard !loss.cascades, [.table, .column, .rows].contains(loss.kind) else { return false }
        let names = [loss.object] + loss.origins
        if names.contains(where: { tables.contains(Self.plain($0)) }) { return true }
        guard loss.kind == .column else { return false }
        return names.contains { name in
            [loss.column, loss.originColumn].compactMap(\.self).contains { columns.contains(Column(table: Self.plain(name), column: $0)) }
        }
    }

    /// Without the schema that is the default.
    private static func plain(_ text: String) -> String {
        let name = ObjectName(text)
        return name.schema == "public" ? ObjectName(parts: [name.last]).text : text
    }
}
