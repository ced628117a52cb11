internal import JSONValues

/// What a statement changes in the meaning of names behind it.
extension TreeReading {
    mutating func readNames() {
        switch kind {
        case "RenameStmt": facts.naming = renaming
        case "AlterObjectSchemaStmt": facts.naming = moving
        case "VariableSetStmt": facts.naming = setting
        case "SelectStmt": facts.naming = configuring
        case "DiscardStmt": facts.naming = .path(nil)
        case "GrantRoleStmt", "AlterOwnerStmt", "ReassignOwnedStmt", "AlterRoleStmt": facts.naming = .rights
        case "AlterTableStmt":
            let isOwner = (body["cmds"]?.elements ?? []).contains { $0["AlterTableCmd"]?["subtype"]?.string == "AT_ChangeOwner" }
            if isOwner { facts.naming = .rights }
        default: break
        }
    }

    private var renaming: NameChange? {
        guard let name = body["newname"]?.string else { return nil }
        let relation = ObjectName(TreeNames.relation(body["relation"]))
        switch body["renameType"]?.string ?? "" {
        case "OBJECT_TABLE", "OBJECT_FOREIGN_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_INDEX":
            return .renamed(relation, to: name)
        case "OBJECT_TYPE", "OBJECT_DOMAIN": return .renamed(ObjectName(TreeNames.dotted(body["object"])), to: name)
        case "OBJECT_COLUMN": return body["subname"]?.string.map { .column(relation, from: $0, to: name) }
        case "OBJECT_SCHEMA": return body["subname"]?.string.map { .schema($0, to: name) }
        default: return nil
        }
    }

    private var moving: NameChange? {
        guard let schema = body["newschema"]?.string else { return nil }
        switch body["objectType"]?.string ?? "" {
        case "OBJECT_TABLE", "OBJECT_FOREIGN_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE":
            return .moved(ObjectName(TreeNames.relation(body["relation"])), schema: schema)
        case "OBJECT_TYPE", "OBJECT_DOMAIN": return .moved(ObjectName(TreeNames.dotted(body["object"])), schema: schema)
        case "OBJECT_EXTENSION": return .unknown
        default: return nil
        }
    }

    /// `SET` and `RESET`.
    private var setting: NameChange? {
        let values = (body["args"]?.elements ?? []).map {
            $0["A_Const"]?["sval"]?["sval"]?.string ?? $0["A_Const"]?["val"]?["String"]?["sval"]?.string
        }
        let isReset = ["VAR_RESET", "VAR_SET_DEFAULT", "VAR_RESET_ALL"].contains(body["kind"]?.string ?? "")
        if body["kind"]?.string == "VAR_RESET_ALL" { return .path(nil) }
        switch body["name"]?.string ?? "" {
        case "search_path":
            if isReset { return .path(nil) }
            return Self.path(values)
        case "role": return isReset || values == ["none"] ? .ownRole : .role
        case "session_authorization": return isReset ? .ownRole : .role
        default: return nil
        }
    }

    /// `SELECT set_config('search_path', …)`.
    private var configuring: NameChange? {
        var changes: [NameChange] = []
        TreeNames.walk(body) { key, value in
            guard key == "FuncCall", value["funcname"]?.elements.last?["String"]?["sval"]?.string == "set_config" else { return true }
            let values = (value["args"]?.elements ?? []).map { $0["A_Const"]?["sval"]?["sval"]?.string }
            switch values.first {
            case "search_path": changes.append(values.count > 1 && values[1] != nil ? Self.path(Self.parts(values[1] ?? "")) : .unknownPath)
            case "role", "session_authorization": changes.append(.role)
            case .some(.some(_)): break
            default: changes += [.unknown]
            }
            return true
        }
        return changes.count > 1 ? .unknown : changes.first
    }

    /// A list as a setting's text holds it; names without quotation marks are in lower case.
    private static func parts(_ text: String) -> [String?] {
        var (parts, part): ([String], String) = ([], "")
        var isQuoted = false
        for character in text {
            if character == "\"" { isQuoted.toggle() }
            if character == ",", !isQuoted {
                parts.append(part)
                part = ""
            } else {
                part.append(character)
            }
        }
        return (parts + [part]).compactMap { text in
            let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            guard !words.isEmpty else { return nil }
            return words.hasPrefix("\"") ? ObjectName(words).last : words.lowercased()
        }
    }

    private static func path(_ schemas: [String?]) -> NameChange {
        let known = schemas.compactMap(\.self)
        return known.count == schemas.count && !known.contains("$user") ? .path(known.filter { $0 != "pg_temp" }) : .unknownPath
    }
}
