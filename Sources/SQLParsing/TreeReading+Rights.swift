internal import JSONValues

/// The rights that a statement needs. `REINDEX`, `CLUSTER` and `REFRESH` are left out: from PostgreSQL 17 on they have a right of their own.
extension TreeReading {
    mutating func readRights() {
        let relation = TreeNames.relation(body["relation"])
        switch kind {
        case "AlterTableStmt":
            need(.owner, relation)
            for command in (body["cmds"]?.elements ?? []).compactMap({ $0["AlterTableCmd"] }) {
                if command["subtype"]?.string == "AT_AttachPartition" {
                    need(.owner, TreeNames.relation(command["def"]?["PartitionCmd"]?["name"]))
                }
            }
            needReferences()
        case "CreateStmt", "CreateForeignTableStmt":
            let table = body["base"] ?? body
            for parent in table["inhRelations"]?.elements ?? [] { need(.owner, TreeNames.relation(parent["RangeVar"])) }
            needReferences()
        case "RenameStmt", "AlterObjectSchemaStmt", "IndexStmt", "RuleStmt": need(.owner, relation)
        case "ViewStmt": if body["replace"]?.bool == true { need(.owner, TreeNames.relation(body["view"])) }
        case "AlterSeqStmt": need(.owner, TreeNames.relation(body["sequence"]))
        case "CreatePolicyStmt", "AlterPolicyStmt": need(.owner, TreeNames.relation(body["table"]))
        case "CreateTrigStmt": need(.trigger, relation)
        case "DropStmt": for object in body["objects"]?.elements ?? [] { needDropping(TreeNames.dotted(object)) }
        case "CommentStmt": needCommenting(TreeNames.dotted(body["object"]))
        case "TruncateStmt":
            for table in body["relations"]?.elements ?? [] { need(.truncate, TreeNames.relation(table["RangeVar"])) }
        case "DeleteStmt": need(.delete, relation)
        case "UpdateStmt": need(.update, relation)
        case "InsertStmt":
            need(.insert, relation)
            if body["onConflictClause"]?["action"]?.string == "ONCONFLICT_UPDATE" { need(.update, relation) }
        case "MergeStmt":
            for clause in (body["mergeWhenClauses"]?.elements ?? []).compactMap({ $0["MergeWhenClause"] }) {
                switch clause["commandType"]?.string {
                case "CMD_INSERT": need(.insert, relation)
                case "CMD_UPDATE": need(.update, relation)
                case "CMD_DELETE": need(.delete, relation)
                default: break
                }
            }
        case "CopyStmt": if body["is_from"]?.bool == true { need(.insert, relation) }
        default: break
        }
    }

    private mutating func need(_ kind: NeededRight.Kind, _ relation: String) {
        let right = NeededRight(kind, relation)
        if !relation.isEmpty, !facts.rights.contains(right) { facts.rights.append(right) }
    }

    private mutating func needReferences() {
        var tables: [String] = []
        TreeNames.walk(body) { key, value in
            if key == "Constraint", let table = value["pktable"] { tables.append(TreeNames.relation(table)) }
            return true
        }
        for table in tables { need(.references, table) }
    }

    private mutating func needDropping(_ name: String) {
        switch body["removeType"]?.string ?? "" {
        case "OBJECT_TABLE", "OBJECT_FOREIGN_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_INDEX", "OBJECT_SEQUENCE":
            need(.dropping, name)
        case "OBJECT_TRIGGER", "OBJECT_RULE", "OBJECT_POLICY": need(.owner, Self.table(of: name))
        default: break
        }
    }

    private mutating func needCommenting(_ name: String) {
        switch body["objtype"]?.string ?? "" {
        case "OBJECT_TABLE", "OBJECT_FOREIGN_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_INDEX", "OBJECT_SEQUENCE": need(.owner, name)
        case "OBJECT_COLUMN", "OBJECT_TABCONSTRAINT", "OBJECT_TRIGGER", "OBJECT_RULE", "OBJECT_POLICY": need(.owner, Self.table(of: name))
        default: break
        }
    }

    /// The name of what belongs to a table stands behind the table's.
    private static func table(of name: String) -> String { ObjectName(parts: Array(ObjectName(name).parts.dropLast())).text }
}
