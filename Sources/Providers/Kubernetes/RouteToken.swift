import JSONValues

/// What a route needs to be walked, and by which the world is recognised as the one that was planned for.
struct RouteToken: Sendable, Hashable {
    enum Way: Sendable, Hashable {
        /// Back to the template of this ReplicaSet or ControllerRevision.
        case undo(revision: String, uid: String, number: Int)
        /// The image alone, by server-side apply.
        case apply(image: String)
    }

    var way: Way
    var container: String
    /// Of the workload.
    var uid: String
    /// Of the pod template that the plan would replace. Not the resourceVersion: an autoscaler or a pod's health changes that one.
    var fingerprint: String
    var takesOwnership: Bool
    /// The desired environment's ``ManagedEnvironment/marks``; empty when it is not managed.
    var environment: [String]

    var text: String {
        var json: JSON = [
            "container": .string(container), "uid": .string(uid), "template": .string(fingerprint), "take": .bool(takesOwnership),
        ]
        if !environment.isEmpty { json["env"] = .array(environment.map(JSON.string)) }
        switch way {
        case .undo(let revision, let uid, let number):
            json["undo"] = ["name": .string(revision), "uid": .string(uid), "number": .integer(number)]
        case .apply(let image): json["image"] = .string(image)
        }
        return json.description
    }

    init(_ way: Way, container: String, uid: String, fingerprint: String, takesOwnership: Bool, environment: [String]) {
        self.way = way
        self.environment = environment
        self.container = container
        self.uid = uid
        self.fingerprint = fingerprint
        self.takesOwnership = takesOwnership
    }

    /// Nil for a text that is not of this form.
    init?(_ text: String) {
        guard let json = try? JSON(parsing: text),  // Not JSON: not a token.
            let container = json["container"]?.string, let uid = json["uid"]?.string, let fingerprint = json["template"]?.string
        else { return nil }
        self.container = container
        self.uid = uid
        self.fingerprint = fingerprint
        takesOwnership = json["take"]?.bool ?? false
        environment = (json["env"]?.elements ?? []).compactMap(\.string)
        if let undo = json["undo"] {
            guard let name = undo["name"]?.string, let uid = undo["uid"]?.string else { return nil }
            way = .undo(revision: name, uid: uid, number: undo["number"]?.integer ?? 0)
        } else {
            guard let image = json["image"]?.string else { return nil }
            way = .apply(image: image)
        }
    }
}
