internal import JSONValues

extension StatementFacts {
    /// The facts of a statement of PostgreSQL. See contract migrations.md §3.5, §3.8 and §3.9.
    ///
    /// A type is taken to narrow unless it holds every value of any other of its family: `text`, `varchar` without a length, `numeric`
    /// without a precision, `bigint`, `double precision`, `jsonb`. What the old type was only the catalogue knows.
    init(postgres tree: JSON, text: String) {
        let reading = TreeReading(tree, text)
        self = reading.facts
    }
}

/// Reads one statement's parse tree.
struct TreeReading {
    private(set) var facts: StatementFacts
    private let kind: String
    private let body: JSON

    init(_ tree: JSON, _ text: String) {
        kind = tree.object?.keys.first ?? ""
        body = tree[kind] ?? .null
        facts = StatementFacts(risk: .additive, phase: .expand, summary: Self.oneLine(text))
        facts.relations = Self.relations(in: tree)
        read()
    }

    private mutating func read() {
        switch kind {
        case "TransactionStmt": control()
        case "CreateStmt", "CreateForeignTableStmt": created(.table, name(body["relation"] ?? body["base"]?["relation"]))
        case "CreateTableAsStmt":
            let isView = body["objtype"]?.string == "OBJECT_MATVIEW"
            created(isView ? .materializedView : .table, name(body["into"]?["rel"]))
        case "IndexStmt": index()
        case "ViewStmt": replaceable(.view, name(body["view"]))
        case "CreateSeqStmt": created(.sequence, name(body["sequence"]))
        case "CreateSchemaStmt": created(.schema, body["schemaname"]?.string ?? "")
        case "CreateExtensionStmt": created(.extension, body["extname"]?.string ?? "")
        case "CreateEnumStmt", "CreateRangeStmt", "CompositeTypeStmt", "CreateDomainStmt":
            created(.type, Self.dotted(body["typeName"] ?? body["domainname"] ?? body["typevar"]))
        case "CreateFunctionStmt": replaceable(.function, Self.dotted(body["funcname"]))
        case "CreateTrigStmt": created(.trigger, body["trigname"]?.string ?? "")
        case "DropStmt": drop()
        case "AlterTableStmt": alterTable()
        case "AlterEnumStmt": alterEnum()
        case "RenameStmt": contract(.availability, "RENAME: what uses the old name fails at once")
        case "TruncateStmt":
            for relation in body["relations"]?.elements ?? [] {
                lose(.table, name(relation["RangeVar"]), cascades: body["behavior"]?.string == "DROP_CASCADE")
            }
        case "DeleteStmt", "UpdateStmt", "InsertStmt", "MergeStmt", "SelectStmt": change()
        case "DropdbStmt":
            lose(.database, body["dbname"]?.string ?? "")
            outside()
        case "DropOwnedStmt": lose(.opaque, "")
        case "DropTableSpaceStmt", "CreateTableSpaceStmt", "CreatedbStmt", "AlterSystemStmt": outside()
        case "CreateSubscriptionStmt", "DropSubscriptionStmt": outside()
        case "DiscardStmt": if body["target"]?.string == "DISCARD_ALL" { outside() }
        case "VacuumStmt":
            facts.phase = .backfill
            facts.probe = .repeatable
            if body["is_vacuumcmd"]?.bool == true { outside() }
        case "ReindexStmt": reindex()
        case "RefreshMatViewStmt", "ClusterStmt":
            facts.probe = .repeatable
            facts.phase = .backfill
            raise(.availability)
        case "DoStmt", "CallStmt", "ExecuteStmt": opaque("what it does cannot be told before it runs")
        case "CopyStmt": if body["is_from"]?.bool == true { facts.phase = .backfill } else { facts.probe = .repeatable }
        case "VariableSetStmt":
            facts.probe = .repeatable
            if body["is_local"]?.bool != true { facts.cautions.append("changes a setting of the session: it is reset after the migration") }
        case "AlterDomainStmt", "AlterTypeStmt": contract(.availability, nil)
        default: break
        }
        dataChangesWithin()
    }

    // MARK: - Kinds

    private mutating func control() {
        switch body["kind"]?.string {
        case "TRANS_STMT_BEGIN", "TRANS_STMT_START": facts.control = .begin
        case "TRANS_STMT_COMMIT", "TRANS_STMT_PREPARE", "TRANS_STMT_COMMIT_PREPARED": facts.control = .commit
        case "TRANS_STMT_SAVEPOINT", "TRANS_STMT_RELEASE", "TRANS_STMT_ROLLBACK_TO": facts.control = .savepoint
        default: facts.control = .rollback
        }
    }

    private mutating func created(_ object: CatalogueProbe.Object, _ name: String) { facts.probe = .created(object, name) }

    private mutating func replaceable(_ object: CatalogueProbe.Object, _ name: String) {
        guard body["replace"]?.bool == true else { return created(object, name) }
        facts.probe = .repeatable
        raise(.availability)
        facts.cautions.append("replaces what older releases may still use")
    }

    private mutating func index() {
        let table = name(body["relation"])
        if body["concurrent"]?.bool == true {
            facts.probe = .indexBuilt(name: body["idxname"]?.string, table: table)
            outside()
        } else {
            facts.probe = body["idxname"]?.string.map { .created(.index, $0) } ?? .ambiguous
            raise(.availability)
            facts.cautions.append("nobody can write to \(table) while the index is built; CONCURRENTLY avoids it")
        }
        if body["unique"]?.bool == true { contract(.availability, nil) }
    }

    private mutating func drop() {
        let cascades = body["behavior"]?.string == "DROP_CASCADE"
        let type = body["removeType"]?.string ?? ""
        for object in body["objects"]?.elements ?? [] {
            let name = Self.dotted(object)
            switch type {
            case "OBJECT_TABLE", "OBJECT_FOREIGN_TABLE": dropped(.table, name, lost: .table, cascades)
            case "OBJECT_MATVIEW": dropped(.materializedView, name, lost: .view, cascades)
            case "OBJECT_SCHEMA": dropped(.schema, name, lost: .schema, cascades)
            case "OBJECT_SEQUENCE": dropped(.sequence, name, lost: .sequence, cascades)
            case "OBJECT_TYPE", "OBJECT_DOMAIN": dropped(.type, name, lost: cascades ? .type : nil, cascades)
            case "OBJECT_EXTENSION": dropped(.extension, name, lost: cascades ? .extension : nil, cascades)
            case "OBJECT_VIEW": dropped(.view, name, lost: cascades ? .view : nil, cascades)
            case "OBJECT_INDEX":
                facts.probe = .dropped(.index, name)
                if body["concurrent"]?.bool == true { outside() }
            case "OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_AGGREGATE":
                dropped(.function, name, lost: cascades ? .opaque : nil, cascades)
            default: if cascades { lose(.opaque, "", cascades: true) }
            }
        }
        contract(.availability, nil)
        if (body["objects"]?.elements.count ?? 0) > 1 { facts.probe = .ambiguous }
    }

    private mutating func dropped(
        _ object: CatalogueProbe.Object, _ name: String, lost: StatementFacts.Loss.Kind?, _ cascades: Bool
    ) {
        facts.probe = .dropped(object, name)
        if let lost { lose(lost, name, cascades: cascades) }
    }

    private mutating func alterEnum() {
        let type = Self.dotted(body["typeName"])
        if let value = body["newVal"]?.string, body["oldVal"] == nil {
            facts.probe = .enumValueAdded(type: type, value: value)
            facts.cautions.append("an enum value cannot be taken away again")
        } else {
            contract(.availability, nil)
        }
    }

    private mutating func reindex() {
        let isConcurrent = (body["params"]?.elements ?? []).contains { $0["DefElem"]?["defname"]?.string == "concurrently" }
        let kind = body["kind"]?.string ?? ""
        facts.phase = .backfill
        facts.probe = .reindexed(name(body["relation"]))
        if isConcurrent || ["REINDEX_OBJECT_SCHEMA", "REINDEX_OBJECT_SYSTEM", "REINDEX_OBJECT_DATABASE"].contains(kind) {
            outside()
        } else {
            raise(.availability)
        }
    }

    private mutating func alterTable() {
        let table = name(body["relation"])
        let commands = (body["cmds"]?.elements ?? []).compactMap { $0["AlterTableCmd"] }
        for command in commands { alter(table, command) }
        if commands.count > 1 { facts.probe = .ambiguous }
    }

    private mutating func alter(_ table: String, _ command: JSON) {
        let column = command["name"]?.string ?? ""
        let cascades = command["behavior"]?.string == "DROP_CASCADE"
        switch command["subtype"]?.string ?? "" {
        case "AT_AddColumn": addColumn(table, command["def"]?["ColumnDef"] ?? .null)
        case "AT_DropColumn":
            facts.probe = .columnDropped(table: table, column: column)
            contract(.availability, nil)
            if body["objtype"]?.string == "OBJECT_VIEW" { return }
            lose(.column, table, column: column, cascades: cascades)
        case "AT_AlterColumnType": retype(table, column, command["def"]?["ColumnDef"] ?? .null)
        case "AT_SetNotNull":
            facts.probe = .notNullSet(table: table, column: column)
            contract(.availability, "scans \(table) while nobody can use it, unless a validated CHECK says the same")
        case "AT_AddConstraint": addConstraint(table, command["def"]?["Constraint"] ?? .null)
        case "AT_DropConstraint":
            facts.probe = .constraintDropped(table: table, constraint: column)
            contract(.rowsAtRisk, nil)
            if cascades { lose(.opaque, "", cascades: true) }
        case "AT_ValidateConstraint": facts.probe = .constraintValidated(table: table, constraint: column)
        case "AT_ColumnDefault": if command["def"] == nil { contract(.rowsAtRisk, nil) }
        case "AT_DropIdentity", "AT_DropExpression": contract(.rowsAtRisk, nil)
        case "AT_DetachPartition":
            let partition = command["def"]?["PartitionCmd"]
            facts.probe = .partitionDetached(parent: table, partition: name(partition?["name"]))
            contract(.availability, nil)
            if partition?["concurrent"]?.bool == true { outside() }
        case "AT_DropNotNull": facts.phase = max(facts.phase, .expand)
        case "AT_SetLogged", "AT_SetUnLogged", "AT_SetTableSpace", "AT_SetAccessMethod":
            raise(.availability)
            facts.cautions.append("rewrites \(table) while nobody can use it")
        default: break
        }
    }

    private mutating func addColumn(_ table: String, _ column: JSON) {
        facts.probe = .columnAdded(table: table, column: column["colname"]?.string ?? "")
        let constraints = (column["constraints"]?.elements ?? []).compactMap { $0["Constraint"] }
        let kinds = Set(constraints.compactMap { $0["contype"]?.string })
        if kinds.contains("CONSTR_NOTNULL"), !kinds.contains("CONSTR_DEFAULT"), !kinds.contains("CONSTR_IDENTITY"),
            !kinds.contains("CONSTR_GENERATED")
        {
            contract(.availability, "NOT NULL without a default fails if \(table) has rows, and older releases cannot insert any more")
        }
        let isVolatile = constraints.contains { constraint in
            constraint["contype"]?.string == "CONSTR_DEFAULT" && !Self.calls(in: constraint).isEmpty
        }
        if isVolatile || kinds.contains("CONSTR_GENERATED") || kinds.contains("CONSTR_IDENTITY") {
            raise(.availability)
            facts.cautions.append("may rewrite \(table) while nobody can use it")
        }
    }

    private mutating func addConstraint(_ table: String, _ constraint: JSON) {
        let name = constraint["conname"]?.string
        facts.probe = name.map { .constraintAdded(table: table, constraint: $0) } ?? .ambiguous
        guard constraint["skip_validation"]?.bool != true else { return }
        contract(.availability, "checks every row of \(table) while it is locked; NOT VALID and VALIDATE avoid it")
    }

    private mutating func retype(_ table: String, _ column: String, _ definition: JSON) {
        let type = definition["typeName"] ?? .null
        let name = type["names"]?.elements.last?["String"]?["sval"]?.string ?? ""
        let isWide = ["text", "varchar", "numeric", "int8", "float8", "jsonb"].contains(name) && type["typmods"] == nil
        contract(.availability, "rewrites \(table) while nobody can use it, unless the old type is as wide")
        if !isWide || definition["raw_default"] != nil { lose(.column, table, column: column) }
    }

    private mutating func change() {
        let hasCondition = body["whereClause"] != nil
        let table = name(body["relation"])
        switch kind {
        case "DeleteStmt":
            facts.phase = .backfill
            lose(hasCondition ? .rows : .table, table)
        case "UpdateStmt":
            facts.phase = .backfill
            lose(hasCondition ? .rows : .table, table)
        case "MergeStmt":
            facts.phase = .backfill
            lose(.rows, table)
        case "InsertStmt":
            facts.phase = .backfill
            if body["onConflictClause"]?["action"]?.string == "ONCONFLICT_UPDATE" { lose(.rows, table) }
        default:
            if body["intoClause"] != nil { return created(.table, name(body["intoClause"]?["rel"])) }
            let calls = Self.calls(in: body).filter { !Self.harmless.contains($0) }
            facts.phase = .backfill
            if !calls.isEmpty { opaque("calls \(calls.sorted().joined(separator: ", "))") } else { facts.probe = .repeatable }
            if Self.calls(in: body).contains("set_config") {
                facts.cautions.append("changes a setting of the session: it is reset after the migration")
            }
        }
    }

    /// `WITH gone AS (DELETE …)` and the like.
    private mutating func dataChangesWithin() {
        for tree in Self.statements(within: body) {
            let inner = TreeReading(tree, "").facts
            raise(inner.risk)
            facts.losses += inner.losses.filter { !facts.losses.contains($0) }
            if inner.phase == .backfill { facts.phase = max(facts.phase, .backfill) }
            facts.probe = .ambiguous
        }
    }

    // MARK: - Effects

    private mutating func raise(_ risk: StatementFacts.Risk) { facts.risk = max(facts.risk, risk) }

    private mutating func outside() { facts.isNonTransactional = true }

    private mutating func contract(_ risk: StatementFacts.Risk, _ caution: String?) {
        raise(risk)
        facts.phase = .contract
        if let caution { facts.cautions.append(caution) }
    }

    private mutating func opaque(_ caution: String) {
        facts.phase = .backfill
        facts.probe = .ambiguous
        raise(.rowsAtRisk)
        facts.losses.append(StatementFacts.Loss(.opaque, ""))
        facts.cautions.append(caution)
    }

    private mutating func lose(_ kind: StatementFacts.Loss.Kind, _ object: String, column: String? = nil, cascades: Bool = false) {
        raise(kind == .rows || kind == .opaque ? .rowsAtRisk : .dataLoss)
        let loss = StatementFacts.Loss(kind, object, column: column, cascades: cascades)
        if !facts.losses.contains(loss) { facts.losses.append(loss) }
    }

    // MARK: - Names

    private func name(_ relation: JSON?) -> String {
        [relation?["schemaname"]?.string, relation?["relname"]?.string].compactMap(\.self).joined(separator: ".")
    }

    /// A name of several parts, however its tree holds them.
    private static func dotted(_ tree: JSON?) -> String {
        guard let tree else { return "" }
        if let text = tree["String"]?["sval"]?.string { return text }
        if let list = tree["List"]?["items"] ?? tree["TypeName"]?["names"] ?? tree["ObjectWithArgs"]?["objname"] ?? tree["names"] {
            return list.elements.compactMap { $0["String"]?["sval"]?.string }.joined(separator: ".")
        }
        if let relation = tree["relname"]?.string {
            return [tree["schemaname"]?.string, relation].compactMap(\.self).joined(separator: ".")
        }
        return tree.elements.compactMap { $0["String"]?["sval"]?.string }.joined(separator: ".")
    }

    private static let harmless: Set<String> = [
        "set_config", "current_setting", "now", "count", "sum", "min", "max", "avg", "coalesce", "version", "current_schema", "to_regclass",
        "setval", "array_agg", "string_agg", "lower", "upper", "length", "concat", "pg_sleep", "generate_series",
    ]

    private static func calls(in tree: JSON) -> Set<String> {
        var names: Set<String> = []
        walk(tree) { key, value in
            guard key == "FuncCall" else { return }
            names.insert(value["funcname"]?.elements.last?["String"]?["sval"]?.string ?? "")
        }
        return names
    }

    private static func statements(within tree: JSON) -> [JSON] {
        var found: [JSON] = []
        walk(tree) { key, value in
            guard ["DeleteStmt", "UpdateStmt", "InsertStmt", "MergeStmt"].contains(key) else { return }
            found.append(.object(JSONObject([(key, value)])))
        }
        return found
    }

    private static func relations(in tree: JSON) -> [String] {
        var names: [String] = []
        func add(_ relation: JSON) {
            guard let name = relation["relname"]?.string else { return }
            let whole = [relation["schemaname"]?.string, name].compactMap(\.self).joined(separator: ".")
            if !names.contains(whole) { names.append(whole) }
        }
        walk(tree) { key, value in
            if ["RangeVar", "relation", "view", "rel"].contains(key) { add(value) }
        }
        return names
    }

    private static func walk(_ tree: JSON, _ visit: (String, JSON) -> Void) {
        var open: [JSON] = [tree]
        while let next = open.popLast() {
            switch next {
            case .array(let elements): open += elements
            case .object(let object):
                for (key, value) in object.members {
                    visit(key, value)
                    open.append(value)
                }
            default: break
            }
        }
    }

    static func oneLine(_ text: String) -> String {
        let words = text.split { $0 == " " || $0 == "\n" || $0 == "\t" || $0 == "\r" || $0 == "\r\n" }.joined(separator: " ")
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
