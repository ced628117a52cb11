import FoundationEssentials
import JSONValues
import SandboxServer
import Simulators
import TestPrograms
import Testing

/// A folder of files: what the providers hold, what goes wrong, and the specs that are reconciled one after the other.
struct Scenario: Sendable, CustomStringConvertible {
    let name: String
    private let folder: String

    static let all: [Scenario] = [
        "rollback", "forward", "rebuild", "lost-answer", "fly", "render-git", "render-image", "configuration", "four-providers",
    ].map(Scenario.init)

    init(_ name: String) {
        self.name = name
        let here = #filePath
        folder = here[..<(here.lastIndex(of: "/") ?? here.startIndex)] + "/Scenarios/" + name
    }

    var description: String { name }

    /// True if it is made of what other scenarios have one by one.
    var isLarge: Bool { ["configuration", "four-providers"].contains(name) }

    var world: WorldFile {
        get throws { try WorldFile(reading: bytes("world.yaml"), file: name + "/world.yaml") }
    }

    var faults: [Fault] {
        get throws {
            guard FileManager.default.fileExists(atPath: folder + "/faults.yaml") else { return [] }
            return try FaultsFile(reading: bytes("faults.yaml"), file: name + "/faults.yaml").faults
        }
    }

    func spec(_ number: Int) throws -> String { try text("\(number).yaml") }

    func text(_ file: String) throws -> String { String(decoding: try bytes(file), as: UTF8.self) }

    private func bytes(_ file: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: folder + "/" + file))) }
}

/// One run of a scenario: a sandbox of its own, a state directory of its own.
struct Run {
    /// How much faster than real time the vendors live.
    static let speed = 100.0

    let sandbox: Sandbox
    let place: Place
    let scenario: Scenario

    /// Starts the world and brings it to the first spec.
    static func begin(_ scenario: Scenario) async throws -> Run {
        let sandbox = try await Sandbox.start(world: scenario.world, speed: speed)
        let run = Run(sandbox: sandbox, place: try Place(), scenario: scenario)
        let ended = try await run.reconcile(1)
        guard ended.status == 0 else { throw Failure(text: "the first spec is not reconciled: \(ended.output)\(ended.errors)") }
        for fault in try scenario.faults { sandbox.server.faults.add(fault) }
        return run
    }

    struct Failure: Error { var text: String }

    /// Address and credentials of the sandbox, and the secret that a spec refers to.
    var variables: [String: String?] {
        let own: [(String, String?)] = [("SESSION_KEY", "over the hills and far away")]
        return Dictionary(own + sandbox.environment.map { ($0.name, Optional($0.value)) }) { first, _ in first }
    }

    /// One process over a spec, killed at a boundary if one is given.
    func reconcile(_ number: Int, killedAt boundary: String? = nil) async throws -> BuiltProgram.Ended {
        let spec = try place.write("system.yaml", scenario.spec(number))
        let arguments = [spec, place.path("state"), String(Self.speed)] + (boundary.map { [$0] } ?? [])
        return try await BuiltProgram("crash-subject").run(arguments, variables: variables)
    }

    /// What a vendor holds now.
    func world(_ vendor: String) async throws -> JSON {
        let url = (sandbox.server.urls[vendor] ?? "") + "/_sandbox/world"
        let answer = try await BuiltProgram(onSearchPath: "curl").run(["-sf", "--noproxy", "*", url])
        return try #require(try JSON(parsing: answer.output)[vendor], "the world says nothing of \(vendor)")
    }

    func end() async throws {
        try await sandbox.stop()
        try place.remove()
    }
}
