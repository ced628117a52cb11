internal import JSONValues

/// What changes rows, and what calls functions that might.
extension TreeReading {
    mutating func change() {
        facts.phase = .backfill
        let table = TreeNames.relation(body["relation"])
        switch kind {
        case "DeleteStmt", "UpdateStmt":
            let condition = body["whereClause"]
            // WHERE true is no condition.
            let hasCondition = condition != nil && condition?["A_Const"] == nil
            lose(hasCondition ? .rows : .table, table)
        case "MergeStmt": lose(.rows, table)
        default: if body["onConflictClause"]?["action"]?.string == "ONCONFLICT_UPDATE" { lose(.rows, table) }
        }
    }

    /// Functions that nothing is known of may do anything. Those in definitions are not called now.
    mutating func readCalls() {
        let runs: JSON
        switch kind {
        case "SelectStmt", "DeleteStmt", "UpdateStmt", "InsertStmt", "MergeStmt": runs = body
        case "CreateTableAsStmt", "CopyStmt": runs = body["query"] ?? .null
        case "ExplainStmt" where isAnalyzing: runs = body["query"] ?? .null
        default: return
        }
        let calls = TreeNames.calls(in: runs)
        if calls.contains("set_config") { facts.cautions.append("changes a setting of the session: it is reset after the migration") }
        let unknown = calls.subtracting(KnownFunctions.harmless)
        if !unknown.isEmpty { opaque("calls \(unknown.sorted().joined(separator: ", ")), which may change anything") }
    }

    private var isAnalyzing: Bool {
        options.contains { option in
            let value = option["arg"]?["String"]?["sval"]?.string ?? option["arg"]?["Integer"]?["ival"]?.integer.map(String.init) ?? "on"
            return option["defname"]?.string == "analyze" && !["false", "off", "0"].contains(value)
        }
    }

    /// `WITH gone AS (DELETE …)`, `EXPLAIN ANALYZE DELETE`, `COPY (DELETE … RETURNING …)`. What a function, a rule or a prepared statement
    /// holds is not run now.
    mutating func readChangesWithin() {
        if ["CreateFunctionStmt", "RuleStmt", "PrepareStmt", "ViewStmt"].contains(kind) || (kind == "ExplainStmt" && !isAnalyzing) {
            return
        }
        TreeNames.walk(body) { key, value in
            guard ["DeleteStmt", "UpdateStmt", "InsertStmt", "MergeStmt"].contains(key) else { return true }
            let inner = TreeReading(.object(JSONObject([(key, value)])), "").facts
            raise(inner.risk)
            facts.losses += inner.losses.filter { !facts.losses.contains($0) }
            facts.cautions += inner.cautions.filter { !facts.cautions.contains($0) }
            facts.rights += inner.rights.filter { !facts.rights.contains($0) }
            facts.phase = max(facts.phase, .backfill)
            facts.probe = .ambiguous
            return false
        }
    }
}
