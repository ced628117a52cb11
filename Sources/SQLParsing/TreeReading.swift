internal import JSONValues

extension StatementFacts {
    /// The facts of a statement of PostgreSQL. See contract migrations.md §3.5, §3.8 and §3.9.
    init(postgres tree: JSON, text: String) {
        self = TreeReading(tree, text).facts
    }
}

/// Reads one statement's parse tree.
struct TreeReading {
    var facts: StatementFacts
    let kind: String
    let body: JSON

    init(_ tree: JSON, _ text: String) {
        kind = tree.object?.keys.first ?? ""
        body = tree[kind] ?? .null
        facts = StatementFacts(risk: .additive, phase: .expand, summary: Self.oneLine(text))
        facts.relations = TreeNames.relations(in: tree)
        read()
        readCalls()
        readRights()
        readChangesWithin()
        readNames()
    }

    private mutating func read() {
        switch kind {
        case "TransactionStmt": control()
        case "CreateStmt", "CreateForeignTableStmt": created(.table, TreeNames.relation(body["relation"] ?? body["base"]?["relation"]))
        case "CreateTableAsStmt":
            let isView = body["objtype"]?.string == "OBJECT_MATVIEW"
            created(isView ? .materializedView : .table, TreeNames.relation(body["into"]?["rel"]))
        case "SelectStmt":
            if body["intoClause"] != nil { return created(.table, TreeNames.relation(body["intoClause"]?["rel"])) }
            repeatable()
        case "IndexStmt": index()
        case "ViewStmt": replaceable(.view, TreeNames.relation(body["view"]))
        case "CreateSeqStmt": created(.sequence, TreeNames.relation(body["sequence"]))
        case "CreateSchemaStmt": created(.schema, TreeNames.quoted(body["schemaname"]?.string ?? ""))
        case "CreateExtensionStmt": created(.extension, TreeNames.quoted(body["extname"]?.string ?? ""))
        case "CreateEnumStmt", "CreateRangeStmt", "CompositeTypeStmt", "CreateDomainStmt":
            created(.type, TreeNames.dotted(body["typeName"] ?? body["domainname"] ?? body["typevar"]))
        case "CreateFunctionStmt": replaceable(.function, TreeNames.dotted(body["funcname"]))
        case "CreateTrigStmt": replaceable(.trigger, TreeNames.quoted(body["trigname"]?.string ?? ""))
        case "RuleStmt": raise(.availability, "changes what statements on \(TreeNames.relation(body["relation"])) do")
        case "DropStmt": drop()
        case "AlterTableStmt": alterTable()
        case "AlterEnumStmt": alterEnum()
        case "AlterDomainStmt": alterDomain()
        case "RenameStmt", "AlterObjectSchemaStmt": contract(.availability, "what uses the old name fails at once")
        case "AlterTypeStmt": contract(.availability)
        case "TruncateStmt": truncate()
        case "DeleteStmt", "UpdateStmt", "InsertStmt", "MergeStmt": change()
        case "DoStmt", "CallStmt", "ExecuteStmt", "AlterExtensionStmt": opaque("what it does cannot be told before it runs")
        case "CopyStmt": copy()
        case "LockStmt":
            raise(.availability, "holds locks until the end of the transaction")
            repeatable()
        default: readRest()
        }
    }

    /// What concerns the server, the session, or rights.
    private mutating func readRest() {
        switch kind {
        case "DropdbStmt":
            contract(.availability)
            lose(.database, TreeNames.quoted(body["dbname"]?.string ?? ""))
            outside()
        case "DropOwnedStmt":
            contract(.dataLoss, "drops everything that the role owns, and takes its rights away")
            loseOpaque(cascades: body["behavior"]?.string == "DROP_CASCADE")
        case "DropTableSpaceStmt", "DropSubscriptionStmt":
            contract(.availability)
            outside()
        case "CreateTableSpaceStmt", "CreatedbStmt", "AlterSystemStmt": outside()
        case "CreateSubscriptionStmt": if !isTurnedOff("connect", "create_slot") { outside() }
        case "AlterSubscriptionStmt":
            let refreshing = ["REFRESH", "SET_PUBLICATION", "ADD_PUBLICATION", "DROP_PUBLICATION"].map { "ALTER_SUBSCRIPTION_" + $0 }
            if refreshing.contains(body["kind"]?.string ?? ""), !isTurnedOff("refresh") { outside() }
        case "AlterDatabaseStmt": if options.contains(where: { $0["defname"]?.string == "tablespace" }) { outside() }
        case "DiscardStmt": if body["target"]?.string == "DISCARD_ALL" { outside() }
        case "VacuumStmt":
            repeatable()
            if options.contains(where: { $0["defname"]?.string == "full" }) {
                raise(.availability, "VACUUM FULL rewrites tables under lock")
            }
            if body["is_vacuumcmd"]?.bool == true { outside() }
        case "ReindexStmt": reindex()
        case "RefreshMatViewStmt":
            repeatable()
            if body["concurrent"]?.bool != true { raise(.availability, "nobody can read the view while it is refreshed") }
        case "ClusterStmt":
            repeatable()
            raise(.availability, "rewrites tables while nobody can use them")
            if body["relation"] == nil { outside() }
        case "GrantStmt", "GrantRoleStmt": if body["is_grant"]?.bool != true { contract(.availability, "takes rights away") }
        case "DropRoleStmt", "DropUserMappingStmt": contract(.availability)
        case "VariableSetStmt": set()
        case "ExplainStmt", "NotifyStmt", "ListenStmt", "UnlistenStmt", "CheckPointStmt", "VariableShowStmt", "FetchStmt",
            "ClosePortalStmt",
            "DeclareCursorStmt", "PrepareStmt", "DeallocateStmt", "ConstraintsSetStmt":
            repeatable()
        case "AlterSeqStmt":
            if (body["options"]?.elements ?? []).contains(where: { $0["DefElem"]?["defname"]?.string == "restart" }) {
                raise(.availability, "the sequence may give out values again that are in use")
            }
        default: break
        }
    }

    // MARK: - Effects

    mutating func raise(_ risk: StatementFacts.Risk, _ caution: String? = nil) {
        facts.risk = max(facts.risk, risk)
        if let caution, !facts.cautions.contains(caution) { facts.cautions.append(caution) }
    }

    mutating func contract(_ risk: StatementFacts.Risk, _ caution: String? = nil) {
        raise(risk, caution)
        facts.phase = .contract
    }

    mutating func outside() { facts.isNonTransactional = true }

    mutating func repeatable() {
        facts.probe = .repeatable
        facts.phase = .backfill
    }

    mutating func created(_ object: CatalogueProbe.Object, _ name: String) { facts.probe = .created(object, name) }

    mutating func opaque(_ caution: String) {
        facts.phase = max(facts.phase, .backfill)
        facts.probe = .ambiguous
        raise(.rowsAtRisk, caution)
        loseOpaque()
    }

    mutating func loseOpaque(cascades: Bool = false) {
        let loss = StatementFacts.Loss(.opaque, "", cascades: cascades)
        if !facts.losses.contains(loss) { facts.losses.append(loss) }
    }

    mutating func lose(_ kind: StatementFacts.Loss.Kind, _ object: String, column: String? = nil, cascades: Bool = false) {
        raise(kind == .rows ? .rowsAtRisk : .dataLoss)
        let loss = StatementFacts.Loss(kind, object, column: column, cascades: cascades)
        if !facts.losses.contains(loss) { facts.losses.append(loss) }
    }

    // MARK: - Options

    var options: [JSON] { (body["options"]?.elements ?? []).compactMap { $0["DefElem"] } }

    private func isTurnedOff(_ names: String...) -> Bool {
        options.contains { option in
            let value = option["arg"]?["String"]?["sval"]?.string ?? option["arg"]?["Integer"]?["ival"]?.integer.map(String.init) ?? ""
            return names.contains(option["defname"]?.string ?? "") && ["false", "off", "0"].contains(value)
        }
    }

    /// White space made one blank, and no longer than 100 characters.
    static func oneLine(_ text: String) -> String {
        // A very long statement is cut first: its end does not show.
        let words = text.prefix(2000).split { $0.isWhitespace }.joined(separator: " ")
        return words.count <= 100 ? words : words.prefix(99) + "…"
    }
}

extension StatementFacts.Phase: Comparable {
    /// From what does least to what takes something away.
    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .expand: 0
        case .backfill: 1
        case .contract: 2
        }
    }
}
