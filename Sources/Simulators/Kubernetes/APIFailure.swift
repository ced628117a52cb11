import HTTPCore
import JSONValues

/// A `Status` object that refuses something.
struct APIFailure: Error {
    var code: Int
    var reason: String
    var message: String
    var causes: [JSON] = []
    var headers: HTTPHeaders = [:]

    var answer: SimulatedResponse {
        var details: JSON = [:]
        if !causes.isEmpty { details["causes"] = .array(causes) }
        return .json(
            code,
            [
                "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": .string(message),
                "reason": .string(reason), "details": details, "code": .integer(code),
            ], headers: headers)
    }

    static let unauthorized = APIFailure(code: 401, reason: "Unauthorized", message: "Unauthorized")

    static func notFound(_ resource: String, _ name: String) -> APIFailure {
        APIFailure(code: 404, reason: "NotFound", message: "\(qualified(resource)) \"\(name)\" not found")
    }

    static let noSuchPath = APIFailure(code: 404, reason: "NotFound", message: "the server could not find the requested resource")

    static func forbidden(_ verb: String, _ resource: String, _ namespace: String?, _ name: String?) -> APIFailure {
        let group = ClusterState.isCore(resource) ? "" : "apps"
        let place = namespace.map { " in the namespace \"\($0)\"" } ?? " at the cluster scope"
        let object = name.map { " \"\($0)\"" } ?? ""
        return APIFailure(
            code: 403, reason: "Forbidden",
            message: "\(qualified(resource))\(object) is forbidden: User \"sandbox\" cannot \(verb) resource \"\(resource)\" "
                + "in API group \"\(group)\"\(place)")
    }

    static func conflict(_ resource: String, _ name: String) -> APIFailure {
        APIFailure(
            code: 409, reason: "Conflict",
            message: "Operation cannot be fulfilled on \(qualified(resource)) \"\(name)\": the object has been modified; "
                + "please apply your changes to the latest version and try again")
    }

    /// - Parameter problems: each a field and what is wrong with it, in the words of the server's validation.
    static func invalid(_ resource: String, _ name: String, _ problems: [(field: String, what: String)]) -> APIFailure {
        let kind = (ClusterState.kinds[resource] ?? "") + (ClusterState.isCore(resource) ? "" : ".apps")
        let texts = problems.map { "\($0.field): \($0.what)" }
        let text = texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
        return APIFailure(
            code: 422, reason: "Invalid", message: "\(kind) \"\(name)\" is invalid: \(text)",
            causes: problems.map { field, what in
                ["reason": .string(causeReason(what)), "message": .string(what), "field": .string(field)]
            })
    }

    private static func causeReason(_ what: String) -> String {
        if what.hasPrefix("Required value") { return "FieldValueRequired" }
        return what.hasPrefix("Forbidden") ? "FieldValueForbidden" : "FieldValueInvalid"
    }

    static func alreadyExists(_ resource: String, _ name: String) -> APIFailure {
        APIFailure(code: 409, reason: "AlreadyExists", message: "\(qualified(resource)) \"\(name)\" already exists")
    }

    static func badRequest(_ message: String) -> APIFailure { APIFailure(code: 400, reason: "BadRequest", message: message) }

    private static func qualified(_ resource: String) -> String { ClusterState.isCore(resource) ? resource : "\(resource).apps" }
}
