internal import JSONValues

extension TreeReading {
    mutating func control() {
        switch body["kind"]?.string {
        case "TRANS_STMT_BEGIN", "TRANS_STMT_START": facts.control = .begin
        case "TRANS_STMT_COMMIT", "TRANS_STMT_PREPARE": facts.control = .commit
        case "TRANS_STMT_COMMIT_PREPARED":
            facts.control = .commit
            outside()
        case "TRANS_STMT_ROLLBACK_PREPARED":
            facts.control = .rollback
            outside()
        case "TRANS_STMT_SAVEPOINT", "TRANS_STMT_RELEASE", "TRANS_STMT_ROLLBACK_TO": facts.control = .savepoint
        default: facts.control = .rollback
        }
    }

    mutating func set() {
        repeatable()
        let name = body["name"]?.string ?? ""
        if ["search_path", "role", "session_authorization"].contains(name) {
            facts.cautions.append("the statements behind it see other objects, or have other rights")
        }
        if body["is_local"]?.bool != true { facts.cautions.append("changes a setting of the session: it is reset after the migration") }
    }

    mutating func replaceable(_ object: CatalogueProbe.Object, _ name: String) {
        if kind == "CreateTrigStmt" { raise(.availability, "changes what writes to \(TreeNames.relation(body["relation"])) do") }
        guard body["replace"]?.bool == true else { return created(object, name) }
        facts.probe = .repeatable
        raise(.availability, "replaces what older releases may still use")
    }

    mutating func index() {
        let table = TreeNames.relation(body["relation"])
        let name = body["idxname"]?.string.map(TreeNames.quoted)
        if body["concurrent"]?.bool == true {
            facts.probe = .indexBuilt(name: name, table: table)
            outside()
        } else {
            facts.probe = name.map { .created(.index, $0) } ?? .ambiguous
            raise(.availability, "nobody can write to \(table) while the index is built; CONCURRENTLY avoids it")
        }
        if body["unique"]?.bool == true { contract(.availability) }
    }

    /// `DROP`; whatever is dropped, the releases that use it must be gone.
    mutating func drop() {
        contract(.availability)
        let cascades = body["behavior"]?.string == "DROP_CASCADE"
        let objects = body["objects"]?.elements ?? []
        for object in objects { drop(TreeNames.dotted(object), cascades) }
        if objects.count > 1 { facts.probe = .ambiguous }
        if body["concurrent"]?.bool == true { outside() }
        if cascades { raise(.dataLoss, "CASCADE takes along whatever depends on it") }
    }

    private mutating func drop(_ name: String, _ cascades: Bool) {
        switch body["removeType"]?.string ?? "" {
        case "OBJECT_TABLE", "OBJECT_FOREIGN_TABLE": dropped(.table, name, lost: .table, cascades)
        case "OBJECT_MATVIEW": dropped(.materializedView, name, lost: .view, cascades)
        case "OBJECT_SCHEMA": dropped(.schema, name, lost: .schema, cascades)
        case "OBJECT_SEQUENCE": dropped(.sequence, name, lost: .sequence, cascades)
        case "OBJECT_TYPE", "OBJECT_DOMAIN": dropped(.type, name, lost: cascades ? .type : nil, cascades)
        case "OBJECT_EXTENSION": dropped(.extension, name, lost: cascades ? .extension : nil, cascades)
        case "OBJECT_VIEW": dropped(.view, name, lost: cascades ? .view : nil, cascades)
        case "OBJECT_INDEX": dropped(.index, name, lost: nil, cascades)
        case "OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_AGGREGATE", "OBJECT_ROUTINE": dropped(.function, name, lost: nil, cascades)
        // The name of a trigger stands behind that of its table.
        case "OBJECT_TRIGGER": dropped(.trigger, TreeNames.quoted(ObjectName(name).last), lost: nil, cascades)
        default: if cascades { loseOpaque(cascades: true) }
        }
    }

    private mutating func dropped(
        _ object: CatalogueProbe.Object, _ name: String, lost: StatementFacts.Loss.Kind?, _ cascades: Bool
    ) {
        facts.probe = .dropped(object, name)
        if let lost {
            lose(lost, name, cascades: cascades)
        } else if cascades {
            loseOpaque(cascades: true)
        }
    }

    mutating func alterEnum() {
        let type = TreeNames.dotted(body["typeName"])
        if let value = body["newVal"]?.string, body["oldVal"] == nil {
            facts.probe = .enumValueAdded(type: type, value: value)
            facts.cautions.append("an enum value cannot be taken away again")
        } else {
            contract(.availability, "what uses the old value fails at once")
        }
    }

    mutating func alterDomain() {
        let cascades = body["behavior"]?.string == "DROP_CASCADE"
        switch body["subtype"]?.string {
        case "C":
            if body["def"]?["Constraint"]?["skip_validation"]?.bool != true { contract(.availability, "checks every row that uses it") }
        case "O": contract(.availability, "checks every row that uses it")
        case "X":
            contract(cascades ? .dataLoss : .rowsAtRisk)
            if cascades { loseOpaque(cascades: true) }
        case "T": if body["def"] == nil { contract(.rowsAtRisk) }
        default: break
        }
    }

    mutating func truncate() {
        facts.phase = .backfill
        let cascades = body["behavior"]?.string == "DROP_CASCADE"
        for relation in body["relations"]?.elements ?? [] {
            lose(.table, TreeNames.relation(relation["RangeVar"]), cascades: cascades)
        }
        if cascades { raise(.dataLoss, "CASCADE empties every table that refers to it") }
    }

    mutating func reindex() {
        let isConcurrent = (body["params"]?.elements ?? []).contains { parameter in
            let option = parameter["DefElem"]
            return option?["defname"]?.string == "concurrently"
                && !["false", "off"].contains(option?["arg"]?["String"]?["sval"]?.string ?? "")
        }
        facts.phase = .backfill
        facts.probe = .reindexed(body["relation"].map(TreeNames.relation) ?? TreeNames.quoted(body["name"]?.string ?? ""))
        let isOfMany = ["REINDEX_OBJECT_SCHEMA", "REINDEX_OBJECT_SYSTEM", "REINDEX_OBJECT_DATABASE"].contains(body["kind"]?.string ?? "")
        if isConcurrent || isOfMany { outside() }
        if !isConcurrent { raise(.availability, "nobody can write while the index is built; CONCURRENTLY avoids it") }
    }

    mutating func copy() {
        if body["is_program"]?.bool == true { opaque("runs a program on the server") }
        facts.phase = .backfill
        if body["is_from"]?.bool != true, body["is_program"]?.bool != true { facts.probe = .repeatable }
    }
}
