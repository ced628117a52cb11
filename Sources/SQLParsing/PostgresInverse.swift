internal import JSONValues
internal import SQL

/// The way back of one statement, from its parse tree.
struct PostgresInverse {
    private let kind: String
    private let body: JSON

    init(_ tree: JSON) {
        kind = tree.object?.keys.first ?? ""
        body = tree[kind] ?? .null
    }

    /// Nil where it is not certain; empty for what changes nothing that lasts.
    var statements: [String]? {
        guard body["if_not_exists"] == nil, body["replace"] == nil, body["missing_ok"] == nil else { return nil }
        switch kind {
        case "AlterTableStmt": return alterTable
        case "VariableSetStmt":
            // Names mean something else after these.
            let name = body["name"]?.string ?? ""
            return ["search_path", "role", "session_authorization"].contains(name) || name.isEmpty ? nil : []
        default: return single.map { [$0] }
        }
    }

    private var single: String? {
        switch kind {
        case "CreateStmt": drop("TABLE", relation(body["relation"]))
        case "CreateForeignTableStmt": drop("FOREIGN TABLE", relation(body["base"]?["relation"]))
        case "CreateTableAsStmt":
            drop(body["objtype"]?.string == "OBJECT_MATVIEW" ? "MATERIALIZED VIEW" : "TABLE", relation(body["into"]?["rel"]))
        case "IndexStmt": index
        case "ViewStmt": drop("VIEW", relation(body["view"]))
        case "CreateSeqStmt": drop("SEQUENCE", relation(body["sequence"]))
        case "CreateSchemaStmt":
            body["schemaElts"] == nil ? body["schemaname"]?.string.map { "DROP SCHEMA " + SQLIdentifier.quoted($0) } : nil
        case "CreateExtensionStmt":
            isCascading ? nil : body["extname"]?.string.map { "DROP EXTENSION " + SQLIdentifier.quoted($0) }
        case "CreateEnumStmt", "CreateRangeStmt": drop("TYPE", names(body["typeName"]))
        case "CompositeTypeStmt": drop("TYPE", relation(body["typevar"]))
        case "CreateDomainStmt": drop("DOMAIN", names(body["domainname"]))
        case "CreateFunctionStmt": function
        case "CreateTrigStmt": dropOn("TRIGGER", body["trigname"], body["relation"])
        case "CreatePolicyStmt": dropOn("POLICY", body["policy_name"], body["table"])
        case "RuleStmt": dropOn("RULE", body["rulename"], body["relation"])
        case "RenameStmt": rename
        case "AlterEnumStmt": enumValue
        case "AlterObjectSchemaStmt": move
        default: nil
        }
    }

    // MARK: - What was made

    private func drop(_ kind: String, _ name: String?) -> String? { name.map { "DROP \(kind) \($0)" } }

    private func dropOn(_ kind: String, _ name: JSON?, _ table: JSON?) -> String? {
        guard let name = name?.string, let table = relation(table) else { return nil }
        return "DROP \(kind) \(SQLIdentifier.quoted(name)) ON \(table)"
    }

    /// An index stands in the schema of its table.
    private var index: String? {
        guard let name = body["idxname"]?.string else { return nil }
        let schema = body["relation"]?["schemaname"]?.string.map { SQLIdentifier.quoted($0) + "." } ?? ""
        let concurrently = body["concurrent"]?.bool == true ? "CONCURRENTLY " : ""
        return "DROP INDEX \(concurrently)\(schema)\(SQLIdentifier.quoted(name))"
    }

    private var isCascading: Bool {
        (body["options"]?.elements ?? []).contains { $0["DefElem"]?["defname"]?.string == "cascade" }
    }

    private var function: String? {
        guard let name = names(body["funcname"]) else { return nil }
        let isProcedure = body["is_procedure"]?.bool == true
        var types: [String] = []
        for parameter in (body["parameters"]?.elements ?? []).compactMap({ $0["FunctionParameter"] }) {
            switch parameter["mode"]?.string {
            case "FUNC_PARAM_TABLE": continue
            case "FUNC_PARAM_OUT":
                // A procedure is told apart by these too.
                if isProcedure { return nil }
                continue
            default:
                guard let type = type(parameter["argType"]) else { return nil }
                types.append(type)
            }
        }
        return "DROP \(isProcedure ? "PROCEDURE" : "FUNCTION") \(name)(\(types.joined(separator: ", ")))"
    }

    private func type(_ type: JSON?) -> String? {
        guard let type, type["pct_type"] == nil, let name = names(type["names"]) else { return nil }
        return name + String(repeating: "[]", count: type["arrayBounds"]?.elements.count ?? 0)
    }

    // MARK: - What was altered

    private var alterTable: [String]? {
        guard body["objtype"]?.string == "OBJECT_TABLE", let table = relation(body["relation"]) else { return nil }
        let only = body["relation"]?["inh"]?.bool == true ? "" : "ONLY "
        var result: [String] = []
        for command in (body["cmds"]?.elements ?? []).reversed() {
            guard let action = inverse(ofCommand: command["AlterTableCmd"] ?? .null) else { return nil }
            result.append("ALTER TABLE \(only)\(table) \(action)")
        }
        return result
    }

    private func inverse(ofCommand command: JSON) -> String? {
        guard command["missing_ok"] == nil else { return nil }
        let column = command["name"]?.string.map(SQLIdentifier.quoted) ?? ""
        switch command["subtype"]?.string {
        case "AT_AddColumn":
            return command["def"]?["ColumnDef"]?["colname"]?.string.map { "DROP COLUMN " + SQLIdentifier.quoted($0) }
        case "AT_AddConstraint":
            let constraint = command["def"]?["Constraint"]
            // A primary key leaves NOT NULL behind, and one that took an index over would take it along.
            guard constraint?["contype"]?.string != "CONSTR_PRIMARY", constraint?["indexname"] == nil else { return nil }
            return constraint?["conname"]?.string.map { "DROP CONSTRAINT " + SQLIdentifier.quoted($0) }
        case "AT_SetNotNull": return "ALTER COLUMN \(column) DROP NOT NULL"
        case "AT_AddIdentity": return "ALTER COLUMN \(column) DROP IDENTITY"
        case "AT_AttachPartition":
            return relation(command["def"]?["PartitionCmd"]?["name"]).map { "DETACH PARTITION " + $0 }
        default: return nil
        }
    }

    private var rename: String? {
        guard let new = body["newname"]?.string.map(SQLIdentifier.quoted) else { return nil }
        let old = body["subname"]?.string.map(SQLIdentifier.quoted)
        let table = relation(body["relation"])
        let type = body["renameType"]?.string ?? ""
        if let kind = Self.relationKinds[type] {
            guard let name = body["relation"]?["relname"]?.string, let renamed = relation(body["relation"], named: body["newname"]?.string)
            else { return nil }
            return "ALTER \(kind) \(renamed) RENAME TO \(SQLIdentifier.quoted(name))"
        }
        switch (type, old, table) {
        case ("OBJECT_COLUMN", let old?, let table?):
            guard let kind = Self.relationKinds[body["relationType"]?.string ?? ""] else { return nil }
            return "ALTER \(kind) \(table) RENAME COLUMN \(new) TO \(old)"
        case ("OBJECT_TABCONSTRAINT", let old?, let table?): return "ALTER TABLE \(table) RENAME CONSTRAINT \(new) TO \(old)"
        case ("OBJECT_TRIGGER", let old?, let table?): return "ALTER TRIGGER \(new) ON \(table) RENAME TO \(old)"
        case ("OBJECT_POLICY", let old?, let table?): return "ALTER POLICY \(new) ON \(table) RENAME TO \(old)"
        case ("OBJECT_SCHEMA", let old?, _): return "ALTER SCHEMA \(new) RENAME TO \(old)"
        case ("OBJECT_TYPE", _, _), ("OBJECT_DOMAIN", _, _):
            var parts = (body["object"]?["List"]?["items"]?.elements ?? []).compactMap { $0["String"]?["sval"]?.string }
            guard let name = parts.popLast() else { return nil }
            let renamed = (parts.map(SQLIdentifier.quoted) + [new]).joined(separator: ".")
            return "ALTER \(type == "OBJECT_TYPE" ? "TYPE" : "DOMAIN") \(renamed) RENAME TO \(SQLIdentifier.quoted(name))"
        default: return nil
        }
    }

    private static let relationKinds = [
        "OBJECT_TABLE": "TABLE", "OBJECT_VIEW": "VIEW", "OBJECT_MATVIEW": "MATERIALIZED VIEW", "OBJECT_INDEX": "INDEX",
        "OBJECT_SEQUENCE": "SEQUENCE", "OBJECT_FOREIGN_TABLE": "FOREIGN TABLE",
    ]

    private var enumValue: String? {
        guard let old = body["oldVal"]?.string, let new = body["newVal"]?.string, let type = names(body["typeName"]) else { return nil }
        func literal(_ text: String) -> String { SQLLiteral.quoted(text, for: .postgres) }
        return "ALTER TYPE \(type) RENAME VALUE \(literal(new)) TO \(literal(old))"
    }

    /// Only of what names the schema from which it came.
    private var move: String? {
        guard let kind = Self.relationKinds[body["objectType"]?.string ?? ""], let new = body["newschema"]?.string,
            let old = body["relation"]?["schemaname"]?.string, let name = body["relation"]?["relname"]?.string
        else { return nil }
        let moved = "\(SQLIdentifier.quoted(new)).\(SQLIdentifier.quoted(name))"
        return "ALTER \(kind) \(moved) SET SCHEMA \(SQLIdentifier.quoted(old))"
    }

    // MARK: - Names

    private func relation(_ relation: JSON?, named name: String? = nil) -> String? {
        guard let name = name ?? relation?["relname"]?.string else { return nil }
        return [relation?["schemaname"]?.string, name].compactMap(\.self).map(SQLIdentifier.quoted).joined(separator: ".")
    }

    private func names(_ list: JSON?) -> String? {
        let parts = (list?.elements ?? []).compactMap { $0["String"]?["sval"]?.string }
        return parts.isEmpty ? nil : parts.map(SQLIdentifier.quoted).joined(separator: ".")
    }
}
