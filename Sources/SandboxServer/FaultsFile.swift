import HTTPCore
import JSONValues
public import Simulators
import SpecFields
import YAMLReading

/// A file of fault rules.
///
/// ```yaml
/// apiVersion: sandbox.belay.dev/v1alpha1
/// kind: Faults
/// faults:
///   - {simulator: vercel, method: POST, path: /promote/, status: 503}
///   - {path: /v6/deployments, skip: 1, times: 2, status: {code: 429, retryAfter: 3}}
///   - {method: PATCH, drop: afterEffect}
/// ```
public struct FaultsFile: Sendable {
    public let faults: [Fault]

    /// - Parameter file: the name that messages begin with.
    public init(reading bytes: [UInt8], file: String) throws(SandboxError) {
        faults = try SandboxDocument.read(FaultsFields.self, bytes, file: file).faults
    }
}

private struct FaultsFields: SpecObject {
    var faults: [Fault]

    init(_ fields: inout Fields) {
        SandboxDocument.declareKind("Faults", &fields)
        faults = fields.required(
            "faults", .list(of: .object(Self.fault)), "Tried in this order for every request; the first rule that matches hits it.")
    }

    private static func fault(_ fields: inout Fields) -> Fault {
        let simulator: String? = fields.optional(
            "simulator", .choice(Vendor.all.map(\.name)), "The vendor whose requests are hit; without it, every one.")
        let method: String? = fields.optional("method", .choice(HTTPMethod.allCases.map(\.rawValue)), "Without it, every method.")
        let path: String? = fields.optional("path", "A part of the request's path and query; without it, every path.")
        let skip: Int = fields.optional("skip", .integer(0...Int.max), default: 0, "How many matching requests pass first.")
        let times = fields.optional("times", .times, "How many matching requests are hit, or `all`; without it, one.") ?? .some(1)
        let kind = fields.exactlyOne(
            of: "a fault",
            [
                Alternative("status", .answer, "Answers with this status.") { $0 },
                Alternative(
                    "drop", .choice(["beforeEffect", "afterEffect"]), "Closes the connection, before or after the request takes effect."
                ) { $0 == "beforeEffect" ? .dropBefore : .dropAfter },
                Alternative(
                    "answer", .choice(["truncated", "notJSON"]),
                    "The request takes effect; half of its answer is sent, or a page of HTML with status 200."
                ) { $0 == "truncated" ? .truncate : .notJSON },
                Alternative("delay", "The request takes effect; its answer comes late by this much of the sandbox's time.") {
                    Fault.Kind.delay($0)
                },
            ])
        return Fault(
            simulator: simulator, method: method.flatMap(HTTPMethod.init(rawValue:)), path: path, kind ?? .dropBefore, skip: skip,
            times: times
        )
    }
}

extension Fault.Kind {
    fileprivate static let notJSON = Fault.Kind.replaceAnswer(
        status: 200, headers: ["Content-Type": "text/html"], body: "<!doctype html><title>One moment, please</title>\n")
}

extension Form where Value == Int? {
    /// A number, or `all`, which is nil.
    fileprivate static let times = Form(
        schema: { .string(pattern: "^([1-9][0-9]*|all)$", hint: nil) }, placeholder: { 1 },
        read: { node, reading in
            if node.string == "all" { return .some(nil) }
            if let times = node.int, times > 0 { return times }
            reading.report("expected a whole number of at least 1, or all", at: node.mark)
            return nil
        })
}

extension Form where Value == Fault.Kind {
    fileprivate static let code = Form<Int>.integer(200...599)

    /// `503`, or a mapping with the details of the answer.
    fileprivate static let answer = Form.scalar(
        code.map { .answer(status: $0, headers: [:], body: "") }
    ) { fields in
        let status = fields.required("code", code, "The status.")
        let retryAfter: Int? = fields.optional("retryAfter", .integer(0...86_400), "Seconds, for the header Retry-After.")
        let named = fields.optional("headers", .map(keys: .headerName, of: .possiblyEmptyString), "More headers.")
        let body = fields.optional("body", .json, "A text, or anything else, which is sent as JSON.")
        let afterEffect = fields.optional("afterEffect", default: false, "Whether the request takes effect all the same.")
        var headers = HTTPHeaders()
        if let retryAfter { headers["Retry-After"] = String(retryAfter) }
        if let body, body.string == nil { headers["Content-Type"] = "application/json; charset=utf-8" }
        for entry in named?.entries ?? [] { headers[entry.key] = entry.value }
        let text = body.map { $0.string ?? $0.description } ?? ""
        return afterEffect
            ? .replaceAnswer(status: status, headers: headers, body: text) : .answer(status: status, headers: headers, body: text)
    }
}

extension StringRule {
    fileprivate static let headerName = StringRule(pattern: "^[-A-Za-z0-9]+$", hint: "a header name of letters, digits and '-'") { name in
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                byte == 0x2D || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            }
    }
}
