import FoundationEssentials
import HTTPCore
import JSONValues
import SandboxServer
import Simulators
import TestPrograms
import Testing

/// A system of a front end and a back end on simulated providers, in a Git repository, and the program run on it.
struct SandboxedSystem {
    let sandbox: Sandbox
    let place: Place
    /// Outside of the work tree, as it is for users.
    private let stateHome: Place

    /// - Parameters:
    ///   - world: in the sandbox's own form.
    ///   - git: whether the specs stand in a Git work tree.
    init(world: String = Self.world, git: Bool = true) async throws {
        sandbox = try await Sandbox.start(world: WorldFile(reading: Array(world.utf8), file: "world.yaml"), speed: 50)
        place = try Place()
        stateHome = try Place()
        if git { try await place.git("init", "-q", "-b", "main") }
    }

    func end() async throws {
        try await sandbox.stop()
        try place.remove()
        try stateHome.remove()
    }

    /// Runs `body` with a system of its own and takes it away afterwards.
    static func with(world: String = Self.world, git: Bool = true, _ body: (SandboxedSystem) async throws -> Void) async throws {
        let system = try await SandboxedSystem(world: world, git: git)
        do {
            try await body(system)
        } catch {
            try await system.end()
            throw error
        }
        try await system.end()
    }

    /// Writes the spec and commits it.
    func commit(web: String = "dpl_web3", api: String = "v3", more: String = "") async throws {
        try place.write("specs/system.yaml", Self.spec(web: web, api: api, more: more))
        _ = try await place.commit("web \(web), api \(api)")
    }

    var specs: String { place.path("specs") }

    /// Runs the program. No token may stand in anything that it prints or keeps.
    func reconcile(
        _ arguments: String..., variables: [String: String?] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> BuiltProgram.Ended {
        try await reconcile(arguments, variables: variables, sourceLocation: sourceLocation)
    }

    func reconcile(
        _ arguments: [String], variables: [String: String?] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> BuiltProgram.Ended {
        let environment = environment.merging(variables) { $1 }
        let ended = try await BuiltProgram("reconcile").run(arguments, variables: environment, in: place.root)
        for token in tokens {
            #expect(!(ended.output + ended.errors).contains(token), "a token was printed", sourceLocation: sourceLocation)
            for file in try stateFiles() {
                #expect(!file.text.contains(token), "\(file.name) holds a token", sourceLocation: sourceLocation)
            }
        }
        return ended
    }

    private var environment: [String: String?] {
        var environment = Dictionary(sandbox.environment.map { ($0.name, Optional($0.value)) }) { first, _ in first }
        environment["XDG_STATE_HOME"] = stateHome.root
        environment["GIT_CONFIG_GLOBAL"] = "/dev/null"
        return environment
    }

    /// Runs the program until `moment` returns, and ends it then by a signal.
    func reconcile(
        _ arguments: [String], by end: BuiltProgram.End, variables: [String: String?] = [:], after moment: @Sendable () async throws -> Void
    ) async throws -> BuiltProgram.Ended {
        try await BuiltProgram("reconcile").run(
            arguments, variables: environment.merging(variables) { $1 }, in: place.root, by: end, killedAfter: moment)
    }

    /// The same, with its standard output in a file, which can be read while it runs.
    func reconcile(
        _ arguments: [String], by end: BuiltProgram.End, into file: String, variables: [String: String?] = [:],
        after moment: @Sendable () async throws -> Void
    ) async throws -> BuiltProgram.Ended {
        try await BuiltProgram("reconcile").run(
            arguments, into: file, variables: environment.merging(variables) { $1 }, in: place.root, by: end, killedAfter: moment)
    }

    /// Runs the program and kills it after that time, unless it has ended.
    func reconcile(killedAfter seconds: Double, _ arguments: String...) async throws {
        _ = try await BuiltProgram(onSearchPath: "timeout").run(
            ["-s", "KILL", "\(seconds)", BuiltProgram.path(of: "reconcile")] + arguments, variables: environment, in: place.root)
    }

    /// The secrets of this sandbox.
    var tokens: [String] {
        sandbox.environment.filter { $0.name.hasSuffix("TOKEN") }.map(\.value)
    }

    /// What `XDG_STATE_HOME` is set to.
    var state: String { stateHome.root }

    /// Everything under the state directory.
    func stateFiles() throws -> [(name: String, text: String)] {
        let root = stateHome.root
        guard let names = try? FileManager.default.subpathsOfDirectory(atPath: root) else { return [] }
        return names.compactMap { name in
            FileManager.default.contents(atPath: root + "/" + name).map { (name, String(decoding: $0, as: UTF8.self)) }
        }
    }

    /// Where the state of `default/shop` is kept.
    func statePath(_ file: String) throws -> String {
        let name = try #require(try stateFiles().map(\.name).first { $0.hasSuffix(file) }, "there is no \(file)")
        return stateHome.path(name)
    }

    /// The requests that change something, as the sandbox saw them.
    var writes: [RecordedRequest] { sandbox.server.requests.filter { !$0.method.isSafe } }

    static func spec(web: String, api: String, more: String = "") -> String {
        """
        apiVersion: belay.dev/v1alpha1
        kind: System
        metadata:
          name: shop
        spec:
          components:
            web:
              vercel: {project: shop-web, team: acme}
              release: \(web)
              after: [api]
            api:
              kubernetes: {namespace: prod, deployment: backend, container: api}
              release: \(api)
        \(more)
        """
    }

    static let world = """
        apiVersion: sandbox.belay.dev/v1alpha1
        kind: World
        vercel:
          projects:
            - name: shop-web
              team: acme
              repository: acme/shop
              domains: [shop.example.com]
              production: dpl_web3
              seconds: {queue: 1, build: 20, assign: 1, pending: 1, job: 5}
              deployments:
                - {id: dpl_web1, sha: 1111111111111111111111111111111111111111, message: one, minutesAgo: 300, target: production, state: READY}
                - {id: dpl_web2, sha: 2222222222222222222222222222222222222222, message: two, minutesAgo: 200, target: production, state: READY}
                - {id: dpl_web3, sha: 3333333333333333333333333333333333333333, message: three, minutesAgo: 100, target: production, state: READY}
        kubernetes:
          rolloutSeconds: 5
          brokenImages: ["registry.example.com/shop:broken"]
          crashingImages: ["registry.example.com/shop:crashing"]
          workloads:
            - namespace: prod
              kind: Deployment
              name: backend
              replicas: 2
              containers: [{name: api}]
              history:
                - {image: "registry.example.com/shop:v1"}
                - {image: "registry.example.com/shop:v2"}
                - {image: "registry.example.com/shop:v3"}
        """
}
