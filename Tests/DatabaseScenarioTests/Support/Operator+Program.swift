import JSONValues
import TestPrograms
import Testing

/// What the program said of a plan.
struct SeenPlan: Sendable {
    var status: Int32
    var json: JSON
    /// What it printed besides, for messages of tests.
    var errors: String

    /// What has to be approved; nil when nothing has.
    var digest: String? { json["approval"]?["digest"]?.string }
    /// Why it must not be carried out, the first reason; nil when it may.
    var reason: String? { problem?["reason"]?.string }
    var message: String { problem?["message"]?.string ?? "" }
    var next: String { problem?["next"]?.string ?? "" }
    /// `migrate-down 20240101000003_m3`, in their order.
    var migrations: [String] {
        (json["steps"]?.elements ?? []).compactMap { step in
            guard step["action"]?["type"]?.string == "migrate" else { return nil }
            return "\(step["phase"]?.string ?? "") \(step["action"]?["version"]?.string ?? "")"
        }
    }
    /// The phases of its steps, each once.
    var phases: [String] {
        var phases: [String] = []
        for step in json["steps"]?.elements ?? [] {
            if let phase = step["phase"]?.string, phases.last != phase { phases.append(phase) }
        }
        return phases
    }
    var notes: [String] { json["notes"]?.elements.compactMap(\.string) ?? [] }

    private var problem: JSON? {
        let blocked = json["blocked"]?.elements.first
        return blocked?["problem"] ?? blocked ?? json["refusal"]
    }
}

extension Operator {
    /// The spec's file, written anew with that pin.
    func spec(_ pin: String, approve: String? = nil) throws -> String {
        let connection =
            switch engine {
            case .sqlite: "sqlite: {path: \"\(database)\"}"
            case .postgres:
                "postgres: {url: {fromEnv: DATABASE_URL}" + (variables["DIRECT_URL"] == nil ? "}" : ", directUrl: {fromEnv: DIRECT_URL}}")
            }
        return try place.write(
            "\(name).yaml",
            """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata: {name: shop}
            spec:
            \(more.isEmpty ? "" : more + "\n")\(approve.map { "  approve: [\"\($0)\"]\n" } ?? "")\
              databases:
                main:
                  \(connection)
                  migrations: {\((["path: \(directory)"] + settings).joined(separator: ", "))}
                  schema: "\(pin)"
            \(databaseMore.isEmpty ? "" : databaseMore + "\n")
            """)
    }

    /// Runs a command of the program with this operator's spec and state.
    func reconcile(_ arguments: [String], spec: String) async throws -> BuiltProgram.Ended {
        try await BuiltProgram("reconcile").run(
            arguments + ["-f", spec, "--state", place.path("state-\(name)")], variables: environment, in: place.root)
    }

    /// - Parameter pin: written into the spec first.
    func plan(_ pin: String) async throws -> SeenPlan {
        let ended = try await reconcile(["plan", "-o", "json"], spec: spec(pin))
        guard let json = try? JSON(parsing: ended.output) else {  // What it said instead is in the failure.
            throw Failure(text: "no plan: \(ended.told)")
        }
        return SeenPlan(status: ended.status, json: json["items"]?[0] ?? json, errors: ended.errors)
    }

    struct Failure: Error, CustomStringConvertible {
        var text: String
        var description: String { text }
    }

    /// Passes until the system has settled; the report is JSON.
    /// - Parameter approving: the digest of what may be lost.
    /// - Parameter timeout: for all passes together.
    func once(_ pin: String, approving digest: String? = nil, timeout: String = "60s") async throws -> BuiltProgram.Ended {
        try await reconcile(Self.once(digest, timeout), spec: spec(pin))
    }

    /// The same, ended by SIGKILL when `moment` returns.
    func once(
        _ pin: String, approving digest: String? = nil, killedAfter moment: @Sendable () async throws -> Void
    ) async throws -> BuiltProgram.Ended {
        let spec = try spec(pin)
        return try await BuiltProgram("reconcile").run(
            Self.once(digest) + ["-f", spec, "--state", place.path("state-\(name)")], variables: environment, in: place.root,
            killedAfter: moment)
    }

    private static func once(_ digest: String?, _ timeout: String = "60s") -> [String] {
        ["--once", "--adopt", "--timeout", timeout, "-o", "json"] + (digest.map { ["--approve", $0] } ?? [])
    }

    /// Plans, approves what would be lost, and carries it out.
    func move(to pin: String) async throws -> BuiltProgram.Ended { try await once(pin, approving: plan(pin).digest) }

    /// The same where it has to go well.
    func arrive(at pin: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        var ended = try await move(to: pin)
        // Rows that migrations of the same way have put into an older table are there only now to be counted.
        for _ in 0..<5 where ended.reasons == ["MoreRowsThanApproved"] { ended = try await move(to: pin) }
        try #require(ended.status == 0, "\(pin): \(ended.told)", sourceLocation: sourceLocation)
    }

    var environment: [String: String?] {
        var all: [String: String?] = ["XDG_STATE_HOME": place.path("unused"), "BELAY_KEY": Self.key]
        all.merge(variables) { $1 }
        return all
    }
}

extension BuiltProgram.Ended {
    /// The problems of a report as JSON; empty where there is no report.
    private var problems: [JSON] {
        guard let json = try? JSON(parsing: output) else { return [] }  // Killed before it reported.
        return json["items"]?[0]?["problems"]?.elements ?? []
    }

    /// Their reasons.
    var reasons: [String] { problems.compactMap { $0["reason"]?.string } }

    /// What it said, for a failed test.
    var told: String {
        let lines = problems.map { "\($0["reason"]?.string ?? ""): \($0["message"]?.string ?? "") → \($0["next"]?.string ?? "")" }
        return "exit \(status) " + (lines.isEmpty ? (output.hasPrefix("{") ? "" : output) + errors : lines.joined(separator: "\n"))
    }
}
