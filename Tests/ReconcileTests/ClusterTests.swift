import ControlPlane
import FoundationEssentials
import HTTPCore
import JSONValues
import SandboxServer
import SystemPackage
import TestPrograms
import Testing

/// `reconcile --cluster` against a real API server, as its users see it: by kubectl.
@Suite(
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.need)),
    .enabled(if: Kubectl.path != nil, "needs kubectl: .ci/setup test"), .serialized, .timeLimit(.minutes(3)))
struct ClusterTests {
    /// A front end on the sandbox's Vercel, a back end on the real cluster.
    private static func object(_ namespace: String, web: String, api: String, more: String = "") -> String {
        """
        apiVersion: belay.dev/v1alpha1
        kind: System
        metadata: {name: shop, namespace: \(namespace)}
        spec:
          components:
            web:
              vercel: {project: shop-web, team: acme}
              release: \(web)
              after: [api]
            api:
              kubernetes: {namespace: \(namespace), deployment: api}
              release: \(api)
        \(more)
        """
    }

    private static func deployment(_ release: String) -> String {
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: api}
        spec:
          replicas: 1
          selector: {matchLabels: {app: api}}
          template:
            metadata: {labels: {app: api}}
            spec: {containers: [{name: api, image: "registry.example/api:\(release)"}]}
        """
    }

    @Test func aSystemIsAppliedPatchedMendedAndDeleted() async throws {
        let plane = try await ControlPlane.shared.running()
        try await SandboxedSystem.with(git: false) { system in
            let kubectl = Kubectl(kubeconfig: plane.kubeconfig, namespace: "cluster-\(UInt32.random(in: 0 ... .max))", place: system.place)
            try await kubectl.installSystems()
            for release in ["v1", "v2"] {
                try await kubectl.apply(Self.deployment(release))
                try await kubectl("rollout", "status", "deployment/api", "--timeout=60s")
            }
            let row = #"custom-columns=P:.status.pins,H:.status.phase,R:.status.conditions[?(@.type=="Ready")].status,G:.status.revision"#
            @Sendable func shows(_ words: String) async throws {
                try await kubectl.until(words) {
                    let shown = try await kubectl("get", "systems", "shop", "--no-headers", "-o", row)
                    return shown.split(whereSeparator: \.isWhitespace).joined(separator: " ") == words
                }
            }
            let ended = try await system.reconcile(
                ["--cluster", "--namespace", kubectl.namespace, "-o", "json"], by: .terminate, variables: ["KUBECONFIG": plane.kubeconfig]
            ) {
                try await kubectl.apply(Self.object(kubectl.namespace, web: "dpl_web3", api: "v2"))
                try await shows("2/2 InSync True 1")
                let columns = try await kubectl("get", "bly")
                #expect(
                    columns.split(separator: "\n").first?.split(separator: " ").joined(separator: " ")
                        == "NAME PINNED PHASE READY REVISION AGE")
                let version = try await kubectl("get", "system/shop", "-o", "jsonpath={.metadata.resourceVersion}")
                try await Task.sleep(for: .seconds(1))
                let later = try await kubectl("get", "system/shop", "-o", "jsonpath={.metadata.resourceVersion}")
                #expect(version == later, "what is in sync is not written again and again")

                let older = #"{"spec":{"components":{"web":{"release":"dpl_web2"},"api":{"release":"v1"}}}}"#
                try await kubectl("patch", "system", "shop", "--type", "merge", "-p", older)
                try await shows("2/2 InSync True 2")
                #expect(try await kubectl("get", "deployment/api", "-o", "jsonpath={..image}") == "registry.example/api:v1")
                let finalizers = try await kubectl("get", "system/shop", "-o", "jsonpath={.metadata.finalizers}")
                #expect(finalizers == #"["belay.dev/fences"]"#, "Vercel's assignment of domains is switched off")
                let reasons = try await kubectl("get", "events", "-o", #"jsonpath={.items[?(@.involvedObject.kind=="System")].reason}"#)
                #expect(Set(reasons.split(separator: " ")).isSuperset(of: ["Retreat", "Converged"]), "\(reasons)")

                let wrong = #"{"spec":{"components":{"api":{"env":{"KEY":{"fromEnv":"HOME"}}}}}}"#
                try await kubectl("patch", "system", "shop", "--type", "merge", "-p", wrong)
                try await shows("2/2 Invalid False 2")
                let message = try await kubectl("get", "system/shop", "-o", #"jsonpath={.status.conditions[?(@.type=="Stalled")].message}"#)
                #expect(message.hasPrefix("spec.components.api.env.KEY.fromEnv: a System in a cluster cannot"), "\(message)")
                try await kubectl("patch", "system", "shop", "--type", "merge", "-p", #"{"spec":{"components":{"api":{"env":null}}}}"#)
                try await shows("2/2 InSync True 4")

                try await kubectl("delete", "system", "shop", "--timeout=30s")
            }
            #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
            let events = try ended.output.split(separator: "\n").map { try JSON(parsing: String($0)) }
            let names = events.compactMap { $0["event"]?.string }
            #expect(names.filter { $0 == "RevisionLoaded" }.count == 4, "the generations 1, 2 and 4, and the one that leaves: \(names)")
            #expect(names.contains("RevisionRejected") && names.contains("SystemLetGo") && names.contains("SystemLeft"), "\(names)")
            #expect(system.writes.last?.method == .patch, "the assignment of domains is switched on again")
        }
    }

    @Test func onceReconcilesWhatLoadsAndTellsWhatDoesNot() async throws {
        let plane = try await ControlPlane.shared.running()
        try await SandboxedSystem.with(git: false) { system in
            let kubectl = Kubectl(kubeconfig: plane.kubeconfig, namespace: "once-\(UInt32.random(in: 0 ... .max))", place: system.place)
            try await kubectl.installSystems()
            try await kubectl.apply(Self.deployment("v1"))
            try await kubectl("rollout", "status", "deployment/api", "--timeout=60s")
            try await kubectl.apply(Self.object(kubectl.namespace, web: "dpl_web3", api: "v1"))
            let arguments = ["--once", "--cluster", "--namespace", kubectl.namespace]
            let once = try await system.reconcile(arguments, variables: ["KUBECONFIG": plane.kubeconfig])
            #expect(once.status == 0, "\(once.output)\(once.errors)")
            #expect(try await kubectl("get", "system/shop", "-o", "jsonpath={.status.phase}") == "InSync")

            let other = Self.object(kubectl.namespace, web: "dpl_web3", api: "v1", more: "    more: {envFile: {path: x.env}}")
                .replacing("name: shop,", with: "name: other,")
            try await kubectl.apply(other)
            let both = try await system.reconcile(arguments, variables: ["KUBECONFIG": plane.kubeconfig])
            #expect(both.status == 1, "\(both.output)\(both.errors)")
            #expect(both.errors.contains("\(kubectl.namespace)/other: generation 1 does not load"), "\(both.errors)")
            #expect(both.errors.contains("spec.components.more.envFile: a System in a cluster cannot name files"), "\(both.errors)")
            #expect(both.output.contains("\(kubectl.namespace)/shop: in sync"), "\(both.output)")
            #expect(try await kubectl("get", "system/other", "-o", "jsonpath={.status.phase}") == "Invalid")
            try await Self.read(system, kubectl)

            let twin = Self.object(kubectl.namespace, web: "dpl_web2", api: "v1").replacing("name: shop,", with: "name: twin,")
            try await kubectl.apply(twin)
            let contested = try await system.reconcile(arguments + ["--adopt"], variables: ["KUBECONFIG": plane.kubeconfig])
            #expect(contested.status == 1 && !contested.output.contains("shop"), "\(contested.output)\(contested.errors)")
            for name in ["shop", "twin"] {
                #expect(contested.errors.contains("\(kubectl.namespace)/\(name): generation 1 does not load"), "\(contested.errors)")
            }
            #expect(contested.errors.contains("belongs to component/web of \(kubectl.namespace)/shop already"), "\(contested.errors)")
        }
    }

    /// What `plan`, `status`, `history` and `health` say of one object that is in sync and one that does not load.
    private static func read(_ system: SandboxedSystem, _ kubectl: Kubectl) async throws {
        let all = "jsonpath={.items[*].metadata.resourceVersion}"
        let before = try await kubectl("get", "systems,systemstates,deployments", "-o", all)
        let variables = ["KUBECONFIG": kubectl.kubeconfig]
        let cases: [(arguments: [String], status: Int32, words: String, why: String)] = [
            (["plan", "--system", "shop"], 0, "nothing to do", "the state is found in the cluster"),
            (["plan"], 1, "\(kubectl.namespace)/other: generation 1 does not load", "the other one is told, and this one planned"),
            (["plan", "--system", "other"], 1, "spec.components.more.envFile", "nothing else is there"),
            (["plan", "--system", "nobody"], 1, "there is no System named nobody", "a wrong name"),
            (["status", "--system", "\(kubectl.namespace)/shop"], 0, "dpl_web3", "what runs"),
            (["status", "-o", "json", "--system", "shop"], 0, "\"SystemStatusList\"", "for machines"),
            (["history", "api", "--system", "shop"], 0, "v1", "its releases"),
            (["health", "--system", "shop"], 0, "healthy", "its health"),
        ]
        for (arguments, status, words, why) in cases {
            let ended = try await system.reconcile(arguments + ["--cluster", "--namespace", kubectl.namespace], variables: variables)
            #expect(ended.status == status && (ended.output + ended.errors).contains(words), "\(why): \(ended.output)\(ended.errors)")
        }
        #expect(try await kubectl("get", "systems,systemstates,deployments", "-o", all) == before, "reading changes nothing")
    }

    @Test(arguments: [
        (["--cluster", "-f", "x.yaml"], "not by both", "two sources"), (["--cluster", "--git", "u"], "not by both", "two sources"),
        (["--namespace", "x", "-f", "x.yaml"], "--namespace belongs to --cluster", "an option without its source"),
        (["plan", "--cluster", "-f", "x.yaml"], "not by both", "two sources"),
        (["status", "--context", "x", "-f", "x.yaml"], "--context belongs to --cluster", "an option without its source"),
        (["health"], "Name the specs", "no source"),
        (["--cluster", "--mirror", "belay"], "--mirror belongs to -f or --git", "objects that would show themselves"),
        (["--once", "-f", "x.yaml", "--mirror", "belay"], "--mirror belongs to the loop", "nobody keeps it up to date"),
        (["-f", "x.yaml", "--mirror", "Not a name"], "--mirror takes a name", "no value of a label"),
        (["--mirror", "belay"], "name them with -f PATH or --git URL", "nothing to show"),
        (["--share-git-credentials", "x", "-f", "x.yaml"], "--share-git-credentials belongs to --cluster", "an option without its source"),
        (["--cluster", "--share-git-credentials", "https://x/y"], "takes a host such as git.example", "a URL instead of a host"),
    ])
    func optionsThatDoNotGoTogetherSaySo(arguments: [String], words: String, why: String) async throws {
        let ended = try await BuiltProgram("reconcile").run(arguments)
        #expect(ended.status == 64 && ended.errors.contains(words), "\(why): \(ended.errors)")
    }
}

/// kubectl in one namespace.
struct Kubectl: Sendable {
    var kubeconfig: String
    var namespace: String
    var place: Place

    struct Failure: Error, CustomStringConvertible { var description: String }

    /// Where it is; nil where it is not installed.
    static let path: String? = {
        let variables = ProcessInfo.processInfo.environment
        let cache = variables["XDG_CACHE_HOME"] ?? "\(variables["HOME"] ?? "")/.cache"
        let directories = (variables["PATH"] ?? "").split(separator: ":").map(String.init) + ["\(cache)/belay/python/bin"]
        return directories.map { "\($0)/kubectl" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    @discardableResult
    func callAsFunction(_ arguments: String...) async throws -> String { try await run(["-n", namespace] + arguments) }

    func apply(_ text: String) async throws {
        try place.write("object.yaml", text)
        try await run(["-n", namespace, "apply", "-f", place.path("object.yaml")])
    }

    /// The namespace, and the kind that Belay defines.
    func installSystems() async throws {
        try await run(["create", "namespace", namespace])
        var root = FilePath(#filePath)
        for _ in 0..<3 { root.removeLastComponent() }
        try await run(["apply", "-k", root.appending("manifests/crd").string])
        try await run(
            ["wait", "--for=condition=Established", "crd/systems.belay.dev", "crd/systemstates.belay.dev", "--timeout=30s"])
    }

    /// Looks until something is so; an error after half a minute, with what there is instead.
    func until(_ what: String, _ isSo: @Sendable () async throws -> Bool) async throws {
        let start = ContinuousClock.now
        while ContinuousClock.now - start < .seconds(30) {
            if try await isSo() { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw Failure(description: "it never was: \(what); there is\n\(try await self("get", "systems", "-o", "yaml"))")
    }

    @discardableResult
    private func run(_ arguments: [String]) async throws -> String {
        let ended = try await BuiltProgram(onSearchPath: "env").run(
            [Self.path ?? "kubectl"] + arguments, variables: ["KUBECONFIG": kubeconfig])
        guard ended.status == 0 else { throw Failure(description: "kubectl \(arguments.joined(separator: " ")): \(ended.errors)") }
        return ended.output
    }
}
