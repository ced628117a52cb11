internal import JSONValues
internal import SQL

/// Finds names in parse trees.
enum TreeNames {
    /// `public.orders`.
    static func relation(_ relation: JSON?) -> String {
        [relation?["schemaname"]?.string, relation?["relname"]?.string].compactMap { $0.map(quoted) }.joined(separator: ".")
    }

    /// A name of several parts, however its tree holds them.
    static func dotted(_ tree: JSON?) -> String {
        guard let tree else { return "" }
        if let text = tree["String"]?["sval"]?.string { return quoted(text) }
        if tree["relname"] != nil { return relation(tree) }
        let list = tree["List"]?["items"] ?? tree["TypeName"]?["names"] ?? tree["ObjectWithArgs"]?["objname"] ?? tree["names"] ?? tree
        return list.elements.compactMap { $0["String"]?["sval"]?.string.map(quoted) }.joined(separator: ".")
    }

    /// Without quotation marks, unless the name holds a dot or a quotation mark itself: parts are told apart by the dots between them.
    static func quoted(_ name: String) -> String {
        guard name.contains(".") || name.contains("\"") else { return name }
        return SQLIdentifier.quoted(name)
    }

    /// The last parts of the names of the functions that are called.
    static func calls(in tree: JSON) -> Set<String> {
        var names: Set<String> = []
        walk(tree) { key, value in
            if key == "FuncCall" || key == "funccall" { names.insert(value["funcname"]?.elements.last?["String"]?["sval"]?.string ?? "") }
            return true
        }
        return names
    }

    /// Each once, in the order of the tree; the names of `WITH` left out.
    static func relations(in tree: JSON) -> [String] {
        var (names, own): ([String], Set<String>) = ([], [])
        func add(_ name: String) {
            if !name.isEmpty, !names.contains(name) { names.append(name) }
        }
        walk(tree) { key, value in
            switch key {
            case "DropStmt":
                let kinds = ["OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE", "OBJECT_INDEX", "OBJECT_SEQUENCE"]
                if kinds.contains(value["removeType"]?.string ?? "") {
                    for object in value["objects"]?.elements ?? [] { add(dotted(object)) }
                }
            case "CommonTableExpr": if let name = value["ctename"]?.string { own.insert(quoted(name)) }
            default: if value["relname"] != nil { add(relation(value)) }
            }
            return true
        }
        return names.filter { !own.contains($0) }
    }

    /// Calls the function for every member of every object, depth first and in order; it says whether to go on into the value.
    static func walk(_ tree: JSON, _ visit: (String, JSON) -> Bool) {
        switch tree {
        case .array(let elements): for element in elements { walk(element, visit) }
        case .object(let object): for (key, value) in object.members where visit(key, value) { walk(value, visit) }
        default: break
        }
    }
}
