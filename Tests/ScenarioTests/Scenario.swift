import FoundationEssentials
import JSONValues
import SandboxServer
import Simulators
import TestPrograms

/// A folder of files: what the providers hold, what goes wrong, and the specs that are reconciled one after the other.
struct Scenario: Sendable, CustomStringConvertible {
    let name: String
    private let folder: String

    static let all: [Scenario] = ["rollback", "forward", "rebuild", "lost-answer"].map(Scenario.init)

    init(_ name: String) {
        self.name = name
        let here = #filePath
        folder = here[..<(here.lastIndex(of: "/") ?? here.startIndex)] + "/Scenarios/" + name
    }

    var description: String { name }

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
    let sandbox: Sandbox
    let place: Place
    let scenario: Scenario

    /// Starts the world and brings it to the first spec.
    static func begin(_ scenario: Scenario) async throws -> Run {
        let sandbox = try await Sandbox.start(world: scenario.world, speed: 50)
        let run = Run(sandbox: sandbox, place: try Place(), scenario: scenario)
        let ended = try await run.reconcile(1)
        guard ended.status == 0 else { throw Failure(text: "the first spec is not reconciled: \(ended.output)\(ended.errors)") }
        for fault in try scenario.faults { sandbox.server.faults.add(fault) }
        return run
    }

    struct Failure: Error { var text: String }

    /// Address and credentials of the sandbox.
    var variables: [String: String?] {
        Dictionary(sandbox.environment.map { ($0.name, Optional($0.value)) }) { first, _ in first }
    }

    /// One process over a spec, killed at a boundary if one is given.
    func reconcile(_ number: Int, killedAt boundary: String? = nil) async throws -> BuiltProgram.Ended {
        let spec = try place.write("system.yaml", scenario.spec(number))
        let arguments = [spec, place.path("state")] + (boundary.map { [$0] } ?? [])
        return try await BuiltProgram("crash-subject").run(arguments, variables: variables)
    }

    /// What counts of the world in the end, every effect of a write included; the same for every run of a scenario that ends well.
    func ending() async throws -> String {
        var text = ""
        for project in try await world("vercel")["projects"]?.elements ?? [] {
            text += "\(project["name"]?.string ?? ""): production \(release(project["production"]?.string, of: project))\n"
            for (domain, deployment) in project["domains"]?.object?.members ?? [] {
                text += "  \(domain): \(release(deployment.string, of: project))\n"
            }
            text += "  assigns domains by itself: \(project["autoAssign"]?.bool == true)\n"
            for write in project["writes"]?.elements ?? [] {
                text += "  \(write["operation"]?.string ?? "") \(release(write["deployment"]?.string, of: project))\n"
            }
        }
        for object in try await world("kubernetes")["objects"]?.elements ?? [] where object["kind"]?.string == "Deployment" {
            let images = object["spec"]?["template"]?["spec"]?["containers"]?.elements.compactMap { $0["image"]?.string } ?? []
            let revision = object["metadata"]?["annotations"]?["deployment.kubernetes.io/revision"]?.string ?? ""
            text += "\(object["metadata"]?["name"]?.string ?? ""): \(images.joined(separator: " ")), revision \(revision), "
            text += "generation \(object["metadata"]?["generation"]?.integer ?? 0)\n"
        }
        return text
    }

    /// Deployments by their commit: a rebuild has another id in every run.
    private func release(_ id: String?, of project: JSON) -> String {
        guard let id, let deployment = project["deployments"]?.elements.first(where: { $0["id"]?.string == id }) else {
            return id ?? "nothing"
        }
        return String(deployment["sha"]?.string?.prefix(7) ?? "")
    }

    private func world(_ vendor: String) async throws -> JSON {
        let url = (sandbox.server.urls[vendor] ?? "") + "/_sandbox/world"
        let answer = try await BuiltProgram(onSearchPath: "curl").run(["-sf", "--noproxy", "*", url])
        return try JSON(parsing: answer.output)
    }

    func end() async throws {
        try await sandbox.stop()
        try place.remove()
    }
}
