import FoundationEssentials
import HTTPCore
import JSONValues
import SandboxServer
import StateContract
import TestPrograms
import Testing

/// A front end on a simulated provider, its spec in a Git repository, and the program with its state on the real API server.
struct Bench: Sendable {
    let sandbox: Sandbox
    let place: Place
    let stand: Stand
    private let home: Place
    private let kubeconfig: String

    static func with(speed: Double = 50, _ body: (Bench) async throws -> Void) async throws {
        let bench = try await Bench(speed: speed)
        do {
            try await body(bench)
        } catch {
            try await bench.end()
            throw error
        }
        try await bench.end()
    }

    private init(speed: Double) async throws {
        stand = try await Stand.real()
        kubeconfig = try await Stand.kubeconfig()
        sandbox = try await Sandbox.start(world: WorldFile(reading: Array(Self.world.utf8), file: "world.yaml"), speed: speed)
        place = try Place()
        home = try Place()
        try place.write("repo/README", "")
        _ = try await BuiltProgram(onSearchPath: "git").run(["init", "-q", "-b", "main", place.path("repo")])
    }

    private func end() async throws {
        try await sandbox.stop()
        try place.remove()
        try home.remove()
    }

    /// Writes the spec and commits it.
    ///
    /// - Parameter hour: of the commit: two commits of one second have no order for a clone that lacks one of them.
    func commit(_ release: String, at hour: Int) async throws {
        try place.write(
            "repo/system.yaml",
            """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata: {name: shop, namespace: \(stand.namespace)}
            spec:
              state: {cluster: {}}
              components:
                web:
                  vercel: {project: shop-web, team: acme}
                  release: \(release)
            """)
        let git = BuiltProgram(onSearchPath: "git")
        for arguments in [["add", "-A"], ["-c", "user.name=ann", "-c", "user.email=ann@example.com", "commit", "-q", "-m", release]] {
            let ended = try await git.run(
                ["-C", place.path("repo")] + arguments, variables: ["GIT_COMMITTER_DATE": "2026-11-23T0\(hour):00:00Z"])
            #expect(ended.status == 0, "\(ended.errors)")
        }
    }

    /// Another copy of the repository, as it is now.
    func clone(_ name: String) async throws {
        let ended = try await BuiltProgram(onSearchPath: "git").run(["clone", "-q", place.path("repo"), place.path(name)])
        #expect(ended.status == 0, "\(ended.errors)")
    }

    func reconcile(_ arguments: [String], variables: [String: String?] = [:]) async throws -> BuiltProgram.Ended {
        let ended = try await BuiltProgram("reconcile").run(arguments, variables: environment.merging(variables) { $1 }, in: place.root)
        for token in tokens { #expect(!(ended.output + ended.errors).contains(token), "a token was printed") }
        return ended
    }

    /// Runs the program until `moment` returns, and ends it then by a signal.
    func reconcile(
        _ arguments: [String], by end: BuiltProgram.End, variables: [String: String?] = [:], after moment: @Sendable () async throws -> Void
    ) async throws -> BuiltProgram.Ended {
        try await BuiltProgram("reconcile").run(
            arguments, variables: environment.merging(variables) { $1 }, in: place.root, by: end, killedAfter: moment)
    }

    /// The same, with what it prints in a file of this place that ``printed(_:in:)`` reads while it runs.
    func reconcile(
        _ arguments: [String], by end: BuiltProgram.End, into file: String, variables: [String: String?] = [:],
        after moment: @Sendable () async throws -> Void
    ) async throws -> BuiltProgram.Ended {
        try await BuiltProgram("reconcile").run(
            arguments, into: place.path(file), variables: environment.merging(variables) { $1 }, in: place.root, by: end,
            killedAfter: moment)
    }

    /// True if the program has printed this by now.
    func printed(_ words: String, in file: String) throws -> Bool { try place.read(file).contains(words) }

    private var environment: [String: String?] {
        var environment = Dictionary(sandbox.environment.map { ($0.name, Optional($0.value)) }) { first, _ in first }
        environment["KUBECONFIG"] = kubeconfig
        environment["HOME"] = home.root
        environment["GIT_CONFIG_GLOBAL"] = "/dev/null"
        environment["CI"] = "true"
        environment["XDG_STATE_HOME"] = .some(nil)
        return environment
    }

    private var tokens: [String] { sandbox.environment.filter { $0.name.hasSuffix("TOKEN") }.map(\.value) }

    /// Everything that the program left in its home.
    func stateFiles() throws -> [String] { try FileManager.default.subpathsOfDirectory(atPath: home.root) }

    /// The requests to the provider that change something.
    var writes: [RecordedRequest] { sandbox.server.requests.filter { !$0.method.isSafe } }

    /// Which deployments were asked to be served, in this order.
    var promotions: [String] {
        writes.filter { $0.method == .post }.compactMap { request in
            request.path.prefix { $0 != "?" }.split(separator: "/").map(String.init).last { $0.hasPrefix("dpl_") }
        }
    }

    /// Looks every 20 ms until something is so; an error after half a minute.
    func until(_ what: String, _ isSo: @Sendable () async throws -> Bool) async throws {
        for _ in 0..<1500 {
            if try await isSo() { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Late(what: what)
    }

    private struct Late: Error { var what: String }

    private static let world = """
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
        """
}
