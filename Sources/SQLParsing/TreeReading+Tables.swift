internal import JSONValues

/// `ALTER TABLE`, and what is altered in the same way.
extension TreeReading {
    mutating func alterTable() {
        let table = TreeNames.relation(body["relation"])
        let commands = (body["cmds"]?.elements ?? []).compactMap { $0["AlterTableCmd"] }
        for command in commands { alter(table, command) }
        if commands.count > 1 { facts.probe = .ambiguous }
    }

    private mutating func alter(_ table: String, _ command: JSON) {
        let name = command["name"]?.string ?? ""
        let cascades = command["behavior"]?.string == "DROP_CASCADE"
        switch command["subtype"]?.string ?? "" {
        case "AT_AddColumn": addColumn(table, command["def"]?["ColumnDef"] ?? .null)
        case "AT_DropColumn":
            facts.probe = .columnDropped(table: table, column: name)
            contract(.availability, cascades ? "CASCADE takes along whatever depends on it" : nil)
            lose(.column, table, column: name, cascades: cascades)
        case "AT_AlterColumnType": retype(table, name, command["def"]?["ColumnDef"] ?? .null)
        case "AT_SetNotNull":
            facts.probe = .notNullSet(table: table, column: name)
            contract(.availability, "scans \(table) while nobody can use it, unless a validated CHECK says the same")
        case "AT_AddConstraint": addConstraint(table, command["def"]?["Constraint"] ?? .null)
        case "AT_DropConstraint":
            facts.probe = .constraintDropped(table: table, constraint: name)
            contract(cascades ? .dataLoss : .rowsAtRisk, cascades ? "CASCADE takes along whatever depends on it" : nil)
            if cascades { loseOpaque(cascades: true) }
        case "AT_ValidateConstraint": facts.probe = .constraintValidated(table: table, constraint: name)
        case "AT_ColumnDefault": if command["def"] == nil { contract(.rowsAtRisk) }
        case "AT_DropIdentity", "AT_DropExpression": contract(.rowsAtRisk)
        case "AT_DropNotNull": facts.cautions.append("older releases may meet nulls in \(name)")
        case "AT_DetachPartition", "AT_DetachPartitionFinalize":
            let partition = command["def"]?["PartitionCmd"]
            facts.probe = .partitionDetached(parent: table, partition: TreeNames.relation(partition?["name"]))
            contract(.availability, "the rows of the partition are no longer seen through \(table)")
            if partition?["concurrent"]?.bool == true { outside() }
        case "AT_AttachPartition": raise(.availability, "checks every row of the partition, unless a CHECK says the same")
        case "AT_SetLogged", "AT_SetUnLogged", "AT_SetTableSpace", "AT_SetAccessMethod":
            raise(.availability, "rewrites \(table) while nobody can use it")
        case "AT_EnableRowSecurity", "AT_ForceRowSecurity": contract(.availability, "hides every row that no policy allows")
        case "AT_DisableTrig", "AT_DisableTrigAll", "AT_DisableTrigUser", "AT_DisableRule":
            contract(.rowsAtRisk, "what triggers keep right is not kept right any more")
        case "AT_DropInherit", "AT_DropOf": contract(.availability)
        default: break
        }
    }

    private mutating func addColumn(_ table: String, _ column: JSON) {
        facts.probe = .columnAdded(table: table, column: column["colname"]?.string ?? "")
        let constraints = (column["constraints"]?.elements ?? []).compactMap { $0["Constraint"] }
        let kinds = Set(constraints.compactMap { $0["contype"]?.string })
        let type = column["typeName"]?["names"]?.elements.last?["String"]?["sval"]?.string ?? ""
        let isSerial = ["serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"].contains(type)
        let hasValue = isSerial || !kinds.isDisjoint(with: ["CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"])
        if !kinds.isDisjoint(with: ["CONSTR_NOTNULL", "CONSTR_PRIMARY"]), !hasValue {
            contract(.availability, "NOT NULL without a default fails if \(table) has rows, and older releases cannot insert any more")
        }
        let isVolatile = constraints.contains { constraint in
            constraint["contype"]?.string == "CONSTR_DEFAULT" && !TreeNames.calls(in: constraint).isSubset(of: KnownFunctions.stable)
        }
        if isVolatile || isSerial || !kinds.isDisjoint(with: ["CONSTR_GENERATED", "CONSTR_IDENTITY"]) {
            raise(.availability, "rewrites \(table) while nobody can use it")
        }
        if !kinds.isDisjoint(with: ["CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_CHECK", "CONSTR_FOREIGN"]) {
            raise(.availability, "checks every row of \(table) while it is locked")
        }
    }

    private mutating func addConstraint(_ table: String, _ constraint: JSON) {
        facts.probe = constraint["conname"]?.string.map { .constraintAdded(table: table, constraint: $0) } ?? .ambiguous
        guard constraint["skip_validation"]?.bool != true else { return }
        if constraint["indexname"] != nil { return contract(.availability) }
        let isFast = ["CONSTR_CHECK", "CONSTR_FOREIGN"].contains(constraint["contype"]?.string ?? "")
        contract(
            .availability,
            "checks every row of \(table) while it is locked; "
                + (isFast ? "NOT VALID and then VALIDATE avoid it" : "an index built with CONCURRENTLY and USING INDEX avoid it"))
    }

    /// Values count as lost unless the new type holds every value of its family: `text`, `varchar` without a length, `numeric` without a
    /// precision, `bigint`, `jsonb`, and arrays of them. What the old type was only the catalogue knows: from `varchar(10)` to `varchar(20)`
    /// nothing is lost, and it counts as lost all the same; from `numeric` to `bigint` fractions are, and it does not.
    ///
    /// With `USING` they count as lost too, except for `USING column::text` where the new type is `text` or `varchar`.
    private mutating func retype(_ table: String, _ column: String, _ definition: JSON) {
        let type = definition["typeName"] ?? .null
        let name = type["names"]?.elements.last?["String"]?["sval"]?.string ?? ""
        let isText = ["text", "varchar"].contains(name) && type["typmods"] == nil
        let isWide = isText || (["numeric", "int8", "jsonb"].contains(name) && type["typmods"] == nil)
        contract(.availability, "rewrites \(table) while nobody can use it, unless the old type is as wide")
        var keeps = isWide
        if let expression = definition["raw_default"] {
            let cast = expression["TypeCast"]
            let isOfColumn = cast?["arg"]?["ColumnRef"]?["fields"]?.elements.last?["String"]?["sval"]?.string == column
            let target = cast?["typeName"]?["names"]?.elements.last?["String"]?["sval"]?.string ?? ""
            keeps = isText && isOfColumn && ["text", "varchar"].contains(target) && cast?["typeName"]?["typmods"] == nil
        }
        if !keeps { lose(.column, table, column: column) }
    }
}
