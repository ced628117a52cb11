import JSONValues

/// The ways in which a patch's body can be read, without validation.
enum Patching {
    // MARK: - RFC 6902

    static func json(_ operations: [JSON], to document: JSON) throws(APIFailure) -> JSON {
        var document = document
        for operation in operations {
            guard let kind = operation["op"]?.string, let path = operation["path"]?.string, path.isEmpty || path.hasPrefix("/") else {
                throw .badRequest("an operation needs op and path")
            }
            let steps = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map {
                String($0).replacing("~1", with: "/").replacing("~0", with: "~")
            }
            let value = operation.object?["value"]
            guard let changed = apply(kind, value, steps[...], to: document) else {
                throw APIFailure(
                    code: 422, reason: "Invalid", message: "the server rejected our request due to an error in our request")
            }
            document = changed
        }
        return document
    }

    /// Nil when the operation cannot be carried out.
    private static func apply(_ kind: String, _ value: JSON?, _ path: ArraySlice<String>, to document: JSON) -> JSON? {
        guard let step = path.first else {
            switch kind {
            case "test":
                // Not `? document : nil`: as a JSON literal, nil is null.
                guard document == value else { return nil }
                return document
            case "replace", "add": return value
            default: return nil
            }
        }
        let rest = path.dropFirst()
        switch document {
        case .object(var object):
            if rest.isEmpty, kind == "add" {
                guard let value else { return nil }
                object[step] = value
            } else {
                guard let child = object[step] else { return nil }
                if rest.isEmpty, kind == "remove" {
                    object[step] = nil
                } else {
                    guard let changed = apply(kind, value, rest, to: child) else { return nil }
                    object[step] = changed
                }
            }
            return .object(object)
        case .array(var elements):
            if rest.isEmpty, kind == "add", let value {
                let index = step == "-" ? elements.count : Int(step) ?? -1
                guard (0...elements.count).contains(index) else { return nil }
                elements.insert(value, at: index)
                return .array(elements)
            }
            guard let index = Int(step), elements.indices.contains(index) else { return nil }
            if rest.isEmpty, kind == "remove" {
                elements.remove(at: index)
            } else {
                guard let changed = apply(kind, value, rest, to: elements[index]) else { return nil }
                elements[index] = changed
            }
            return .array(elements)
        default: return nil
        }
    }

    // MARK: - RFC 7386

    static func merge(_ patch: JSON, into document: JSON) -> JSON {
        guard case .object(let changes) = patch else { return patch }
        var object = document.object ?? JSONObject()
        for (key, value) in changes.members {
            if value == .null { object[key] = nil } else { object[key] = merge(value, into: object[key] ?? .null) }
        }
        return .object(object)
    }

    // MARK: - Strategic merge and server-side apply

    /// What the elements of a list are known by; nil for lists that are replaced as a whole.
    static func mergeKeys(of list: String) -> [String]? {
        switch list {
        case "containers", "initContainers", "ephemeralContainers", "env", "volumes", "imagePullSecrets": ["name"]
        case "ports": ["containerPort", "protocol"]
        case "volumeMounts": ["mountPath"]
        case "ownerReferences": ["uid"]
        case "conditions": ["type"]
        default: nil
        }
    }

    static func strategicMerge(_ patch: JSON, into document: JSON, list: String = "") -> JSON {
        switch patch {
        case .object(var changes):
            let directive = changes["$patch"]?.string
            changes["$patch"] = nil
            if directive == "replace" { return .object(changes) }
            var object = document.object ?? JSONObject()
            for (key, value) in changes.members {
                if value == .null { object[key] = nil } else { object[key] = strategicMerge(value, into: object[key] ?? .null, list: key) }
            }
            return .object(object)
        case .array(let changes):
            guard let keys = mergeKeys(of: list), case .array(var elements) = document else { return patch }
            for change in changes {
                let index = elements.firstIndex { element in
                    // A strategic merge knows an element by its first key alone.
                    element[keys[0]] == change[keys[0]]
                }
                if change["$patch"]?.string == "delete" {
                    if let index { elements.remove(at: index) }
                } else if let index {
                    elements[index] = strategicMerge(change, into: elements[index])
                } else {
                    elements.append(change)
                }
            }
            return .array(elements)
        default: return patch
        }
    }
}
