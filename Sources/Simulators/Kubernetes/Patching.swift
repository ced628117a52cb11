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

    /// The members that make an element of such a list, with what the server takes for granted.
    static func key(of element: JSON, _ keys: [String]) -> JSON {
        var key: JSON = [:]
        for name in keys { key[name] = element[name] }
        if keys.contains("protocol"), key["protocol"] == nil { key["protocol"] = "TCP" }
        return key
    }

    /// True for structures that have one owner as a whole, which an apply replaces (`x-kubernetes-map-type: atomic`).
    static func isAtomic(_ field: String) -> Bool {
        ["configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef", "configMapRef", "secretRef"].contains(field)
    }

    /// Server-side apply: maps by member, lists by the keys of their elements, everything else as a whole. What the applied object does
    /// not name stays; whether it goes is a question of who owned it.
    static func apply(_ applied: JSON, over live: JSON, list: String = "") -> JSON {
        switch applied {
        case .object(let wanted) where !isAtomic(list):
            var object = live.object ?? JSONObject()
            for (name, value) in wanted.members {
                object[name] = value == .null ? Optional.none : apply(value, over: object[name] ?? .null, list: name)
            }
            return .object(object)
        case .array(let wanted):
            guard let keys = mergeKeys(of: list), case .array(var elements) = live else { return applied }
            for element in wanted {
                let key = key(of: element, keys)
                if let index = elements.firstIndex(where: { self.key(of: $0, keys) == key }) {
                    elements[index] = apply(element, over: elements[index])
                } else {
                    elements.append(element)
                }
            }
            return .array(elements)
        default: return applied
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
