import ControlPlane
import JSONValues
import KubernetesAPI
import TestPrograms
import Testing

/// That the roles grant enough and nothing more: the program does its work with them, and lacks each verb that is taken away.
@Suite(.enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.need)), .serialized)
struct RealRolesTests {
    /// What the program does with one verb or several.
    struct Use: Sendable {
        var name: String
        var grants: [Grant]
        var arguments: [String]
        /// Whether it did it.
        var works: @Sendable (BuiltProgram.Ended) -> Bool

        init(_ name: String, _ grants: [Grant], _ arguments: [String], works: @escaping @Sendable (BuiltProgram.Ended) -> Bool) {
            self.name = name
            self.grants = grants
            self.arguments = arguments
            self.works = works
        }
    }

    private static let once = ["--once", "--adopt", "--timeout", "60s", "-f"]

    /// Without these something is left undone or unsaid, and the program says nothing of it.
    private static let silent: Set<Grant> = Set(
        ["deployments.apps", "statefulsets.apps", "daemonsets.apps"].map { Grant("targets", "list", $0) }
            + ["configmaps", "secrets"].flatMap { [Grant("configuration", "list", $0), Grant("configuration", "delete", $0)] })

    private func uses(_ world: RoleWorld) throws -> [Use] {
        var uses: [Use] = []
        for (kind, key, history) in [
            ("deployments", "deployment", "replicasets"), ("statefulsets", "statefulSet", "controllerrevisions"),
            ("daemonsets", "daemonSet", "controllerrevisions"),
        ] {
            func grant(_ verb: String, _ plural: String) -> Grant { Grant("targets", verb, "\(plural).apps") }
            let spec = try world.spec("old-\(key.lowercased())", "\(key): web")
            let plan = { @Sendable (ended: BuiltProgram.Ended) in
                ended.output.contains("(revision 1)") && !ended.output.contains("pods may not be listed")
            }
            var reads = [grant("get", kind), grant("list", history)]
            if kind == "deployments" { reads.append(Grant("targets", "list", "pods")) }
            uses.append(Use("plan of \(kind)", reads, ["plan", "-f", spec], works: plan))
            let missing = try world.spec("none-\(key.lowercased())", "\(key): nope")
            uses.append(
                Use("the names of \(kind)", [grant("list", kind)], ["plan", "-f", missing]) { ended in
                    (ended.output + ended.errors).contains("name one of these: ")
                })
            uses.append(
                Use("undo of \(kind)", [grant("patch", kind), grant("get", history)], Self.once + [spec]) {
                    $0.status == 0
                })
        }
        for (name, env, plural) in [("literal", "{MODE: a}", "configmaps"), ("reference", "{MODE: {fromEnv: SETTING}}", "secrets")] {
            let spec = try world.spec(name, "deployment: \(name)", release: "v2", env: env)
            let grants = ["get", "create"].map { Grant("configuration", $0, plural) }
            uses.append(Use("a value in \(plural)", grants, Self.once + [spec]) { $0.status == 0 })
        }
        let secret = try world.spec(
            "secret", "deployment: secret", release: "v2",
            env: "{MODE: {fromSecret: {namespace: \(RoleWorld.specs), name: values, key: mode}}}")
        uses.append(
            Use("fromSecret", [Grant("references", "get", "secrets")], ["plan", "-f", secret]) {
                $0.output.contains("MODE") && $0.status != 1
            })
        let flags = try world.place.write(
            "flags.yaml",
            """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata: {name: flags}
            spec:
              flags:
                store: {configMap: {namespace: roles-flags, name: flags}}
                values: {new_player: true}
            """)
        uses.append(
            Use("a flag", ["get", "patch"].map { Grant("flags", $0, "configmaps") }, Self.once + [flags]) {
                $0.status == 0
            })
        return uses
    }

    private func make(_ world: RoleWorld) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for resource in [KubernetesResource.deployments, .statefulSets, .daemonSets] {
                group.addTask { try await world.release(resource, "web") }
            }
            for name in ["literal", "reference"] { group.addTask { try await world.release(.deployments, name, history: 0) } }
            group.addTask { try await world.release(.deployments, "secret") }
            try await group.waitForAll()
        }
        _ = try await world.client.create(
            .secrets, namespace: RoleWorld.specs, RoleWorld.object("v1", "Secret", "values", ["stringData": ["mode": "a"]]))
        let flags = RoleWorld.object("v1", "ConfigMap", "flags", ["data": ["flags.json": "{\"flags\": {}}"]])
        _ = try await world.client.create(.configMaps, namespace: "roles-flags", flags)
    }

    @Test func theRolesAreEnoughAndNothingOfThemIsTooMuch() async throws {
        let world = try await RoleWorld()
        try await make(world)
        let uses = try uses(world)
        for use in uses {
            for grant in use.grants {
                let ended = try await world.reconcile(
                    use.arguments, as: try world.account(without: grant), record: "without \(grant)".filter(\.isLetter))
                let text = ended.output + ended.errors
                #expect(!use.works(ended), "\(use.name) works without \(grant): \(text)")
                guard !Self.silent.contains(grant) else { continue }
                let words = "the verb \(grant.verb) on \(grant.qualifiedName) in namespace"
                #expect(text.contains(words), "\(use.name) without \(grant): \(text)")
            }
        }
        let check: @Sendable (Use) async throws -> Void = { use in
            let ended = try await world.reconcile(use.arguments, as: world.account, record: use.name.filter(\.isLetter))
            #expect(use.works(ended), "\(use.name): \(ended.output)\(ended.errors)")
        }
        // What only looks goes first: a rollout under way looks different.
        for use in uses where use.arguments.contains("plan") { try await check(use) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for use in uses where !use.arguments.contains("plan") { group.addTask { try await check(use) } }
            try await group.waitForAll()
        }
        async let literals = cleanUp(world, "literal", .configMaps)
        async let references = cleanUp(world, "reference", .secrets)
        let cleaned = try await literals + references
        // Every verb was taken away once, and every verb was used.
        #expect(Set(world.grants).subtracting(uses.flatMap(\.grants)).subtracting(cleaned) == [])
        let (used, refused) = (try world.used(), try world.refused())
        #expect(Set(world.grants).subtracting(used) == [])
        #expect(refused == [])
        try world.place.remove()
    }

    /// Objects of former values go when no release refers to them any more, which takes both verbs.
    private func cleanUp(_ world: RoleWorld, _ name: String, _ resource: KubernetesResource) async throws -> [Grant] {
        func count() async throws -> Int {
            try await world.client.list(resource, namespace: RoleWorld.work).items.filter {
                $0["metadata"]?["name"]?.string?.hasPrefix("\(name)-api-env-") == true
            }.count
        }
        func change(_ value: String, as account: String) async throws {
            let env = name == "literal" ? "{MODE: \(value)}" : "{MODE: {fromEnv: SETTING}}"
            let spec = try world.spec(name, "deployment: \(name)", release: "v2", env: env)
            let ended = try await world.reconcile(
                ["--once", "--timeout", "60s", "-f", spec], as: account, record: "avaluein\(resource.plural)", value: value)
            #expect(ended.status == 0, "\(name) \(value): \(ended.output)\(ended.errors)")
            try await world.settle(.deployments, name)
        }
        try await change("b", as: world.account)
        let before = try await count()
        let grants = ["list", "delete"].map { Grant("configuration", $0, resource.plural) }
        for (grant, value) in zip(grants, ["c", "d"]) { try await change(value, as: try world.account(without: grant)) }
        #expect(try await count() == before + 2, "neither was removed")
        try await change("e", as: world.account)
        #expect(try await count() < before + 2, "what no release refers to was removed")
        return grants
    }
}
