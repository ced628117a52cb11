import ControlPlane
import FoundationEssentials
import JSONValues
import TestPrograms
import Testing

/// Specs in a repository, shown as System objects of a real API server.
@Suite(
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.need)),
    .enabled(if: Kubectl.path != nil, "needs kubectl: .ci/setup test"), .serialized, .timeLimit(.minutes(3)))
struct MirrorTests {
    private static func spec(_ namespace: String, web: String) -> String {
        """
        apiVersion: belay.dev/v1alpha1
        kind: System
        metadata: {name: shop, namespace: \(namespace)}
        spec:
          components:
            web:
              vercel: {project: shop-web, team: acme}
              release: \(web)
        """
    }

    /// A system of one environment file.
    private static func other(_ name: String, _ namespace: String, _ file: String) -> String {
        """
        apiVersion: belay.dev/v1alpha1
        kind: System
        metadata: {name: \(name), namespace: \(namespace)}
        spec:
          components:
            api:
              envFile: {path: \(file)}
              env: {VERSION: 1.10}
        """
    }

    /// An object as somebody has it in the cluster; a mirror where a name is given.
    private static func object(_ name: String, of belay: String? = nil) -> String {
        let label = belay.map { ", labels: {belay.dev/mirror: \($0)}" } ?? ""
        return """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata: {name: \(name)\(label)}
            spec: {components: {theirs: {vercel: {project: theirs}, release: v1}}}
            """
    }

    @Test func systemsOfARepositoryAreShownWithTheirPhases() async throws {
        let plane = try await ControlPlane.shared.running()
        try await SandboxedSystem.with { system in
            let place = system.place
            let kubectl = Kubectl(kubeconfig: plane.kubeconfig, namespace: "mirror-\(UInt32.random(in: 0 ... .max))", place: place)
            let (namespace, belay) = (kubectl.namespace, "belay-\(UInt32.random(in: 0 ... .max))")
            try await kubectl.installSystems()
            try place.write("blog.env", "VERSION=1.10\n")
            let blog = Self.other("blog", namespace, place.path("blog.env"))
            @Sendable func publish(_ text: String) async throws -> String {
                try await system.publish(text: text)
                return String(try await place.git("rev-parse", "HEAD").prefix(12))
            }
            let row = #"custom-columns=P:.status.pins,H:.status.phase,R:.status.conditions[?(@.type=="Ready")].status,G:.status.revision"#
            @Sendable func shows(_ name: String, _ words: String) async throws {
                try await kubectl.until("\(name) \(words)") {
                    let shown = try await kubectl("get", "systems", name, "--ignore-not-found", "--no-headers", "-o", row)
                    return shown.split(whereSeparator: \.isWhitespace).joined(separator: " ") == words
                }
            }
            @Sendable func isThere(_ name: String) async throws -> Bool {
                try await kubectl("get", "systems", name, "--ignore-not-found", "-o", "name").isEmpty == false
            }

            // Somebody's own object has the name of one system; a Belay before this one left a mirror.
            try await kubectl.apply(Self.object("blog"))
            try await kubectl.apply(Self.object("left", of: belay))
            let first = try await publish("\(Self.spec(namespace, web: "dpl_web3"))\n---\n\(blog)")
            let arguments = [
                "--git", place.path("remote.git"), "--ref", "main", "--path", "specs", "--poll", "1s", "--mirror", belay, "--adopt",
            ]
            let ended = try await system.reconcile(arguments, by: .terminate, variables: ["KUBECONFIG": plane.kubeconfig]) {
                try await shows("shop", "1/1 InSync True \(first)")
                let origin = try await kubectl("get", "system/shop", "-o", "jsonpath={.metadata.annotations}{.metadata.labels}")
                for words in [
                    "\"belay.dev/repository\":\"\(place.path("remote.git"))\"", "\"belay.dev/ref\":\"main\"",
                    "\"belay.dev/path\":\"specs/system.yaml\"", "{\"belay.dev/mirror\":\"\(belay)\"}",
                ] { #expect(origin.contains(words), "\(origin)") }
                try await kubectl.until("what is left over goes") { try await !isThere("left") }
                #expect(try await kubectl("get", "system/blog", "-o", "jsonpath={.status}{.metadata.labels}") == "", "it is let be")

                let phases = try await BuiltProgram(onSearchPath: "env").run(
                    [Kubectl.path ?? "kubectl", "-n", namespace, "get", "systems", "shop", "-w", "--no-headers", "-o", row],
                    variables: ["KUBECONFIG": plane.kubeconfig], by: .terminate
                ) {
                    let second = try await publish("\(Self.spec(namespace, web: "dpl_web2"))\n---\n\(blog)")
                    try await shows("shop", "1/1 InSync True \(second)")
                }.output
                for phase in ["Guard", "Retreat", "Finish", "InSync"] { #expect(phases.contains(" \(phase) "), "\(phases)") }

                let edit = #"{"spec":{"components":{"web":{"release":"dpl_web3"}}}}"#
                try await kubectl("patch", "system", "shop", "--type", "merge", "-p", edit)
                try await kubectl.until("the edit is taken back") {
                    try await kubectl("get", "system/shop", "-o", "jsonpath={..release}") == "dpl_web2"
                }
                try await kubectl("delete", "system", "shop", "--timeout=30s")
                try await kubectl.until("it is made again, with its status") {
                    guard try await isThere("shop") else { return false }
                    return try await kubectl("get", "system/shop", "-o", "jsonpath={.status.phase}{..release}") == "InSyncdpl_web2"
                }
                let reasons = try await kubectl("get", "events", "-o", #"jsonpath={range .items[*]}{.reason} {.message}{"\n"}{end}"#)
                for words in [
                    "MirrorRestored what was edited here is taken back: this object only shows specs/system.yaml of \(place.path("remote.git")) (main); change it there",
                    "MirrorRestored this object was deleted and is made again", "MirrorRefused this object is no mirror, and is let be",
                    "Converged converged",
                ] { #expect(reasons.contains(words), "\(reasons)") }

                // A revision that does not load says nothing of what is left over.
                _ = try await publish("apiVersion: belay.dev/v1alpha1\nkind: System\nmetadata: {name: shop}\nspec: {wrong: 1}\n")
                try await kubectl.until("it does not load") {
                    try await kubectl("get", "system/shop", "-o", "jsonpath={.status.phase}") == "Invalid"
                }
                try await kubectl.apply(Self.object("left", of: belay))
                try await Task.sleep(for: .seconds(1))
                for name in ["left", "shop"] { #expect(try await isThere(name), "\(name)") }

                _ = try await publish(blog)
                try await kubectl.until("what the specs name no more goes") {
                    let (left, shop) = (try await isThere("left"), try await isThere("shop"))
                    return !left && !shop
                }
                #expect(try await isThere("blog"), "somebody's own object stays")
                try await kubectl("delete", "system", "blog", "--timeout=30s")
                _ = try await publish(blog + "\n")
                _ = try await publish("\(blog)\n# the name is free now\n---\n\(Self.other("more", namespace, place.path("more.env")))")
                try await kubectl.until("the name that became free is used") {
                    guard try await isThere("blog") else { return false }
                    return try await kubectl("get", "system/blog", "-o", "jsonpath={..VERSION}") == "1.10"
                }
            }
            #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
        }
    }
}
