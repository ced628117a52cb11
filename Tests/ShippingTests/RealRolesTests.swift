import ControlPlane
import JSONValues
import KubernetesAPI
import TestPrograms
import Testing

/// That the roles grant enough and nothing more: the program does its work with them, and lacks each verb that is taken away.
@Suite(
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.need)), .enabled(if: Tool.kubectl.isThere, Tool.kubectl.need),
    .serialized)
struct RealRolesTests {
    /// Without these something is left undone or unsaid, and the program says nothing of it.
    private static let silent: Set<Grant> = Set(
        ["deployments.apps", "statefulsets.apps", "daemonsets.apps"].map { Grant("targets", "list", $0) }
            + [Grant("own", "delete", "leases.coordination.k8s.io")])

    /// Without it a change that comes between two steps is seen a step later.
    private static let unseen = Grant("systems", "get", "systems.belay.dev")

    @Test func theRolesAreEnoughAndNothingOfThemIsTooMuch() async throws {
        let world = try await RoleWorld()
        try await make(world)
        // Each has objects of its own.
        let parts = try workloads(world) + [configuration(world), operation(world), objects(world), mirrors(world)]
        try await withThrowingTaskGroup(of: Void.self) { group in
            var first = 0
            for part in parts {
                group.addTask { [first] in try await takeAway(from: part, first, in: world) }
                first += part.count
            }
            try await group.waitForAll()
        }
        let uses = parts.flatMap { $0 }
        // What only looks goes first: a rollout under way looks different.
        for (number, use) in uses.enumerated() where use.name.hasPrefix("plan") { try await check(use, in: world, number) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, use) in uses.enumerated() where !use.name.hasPrefix("plan") {
                group.addTask { try await check(use, in: world, number) }
            }
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

    /// One verb after another: what is done then is not done, or not asked for.
    private func takeAway(from uses: [RoleUse], _ first: Int, in world: RoleWorld) async throws {
        for (number, use) in zip(first..., uses) {
            if use.needsFormer { try await check(use, in: world, number) }
            for (index, grant) in use.grants.enumerated() {
                let record = "without-\(number)-\(index)"
                let ended = try await use.run(in: world, as: try world.account(without: grant), record: record)
                let text = ended.output + ended.errors
                let isRefused = try world.refused(to: grant)
                #expect(isRefused, "\(use.name) does not ask for \(grant): \(text)")
                guard grant != Self.unseen else { continue }
                #expect(try await !use.works(ended, record), "\(use.name) works without \(grant): \(text)")
                guard !Self.silent.contains(grant) else { continue }
                let words = "the verb \(grant.verb) on \(grant.qualifiedName) in "
                #expect(text.contains(words), "\(use.name) without \(grant): \(text)")
            }
        }
    }

    private func check(_ use: RoleUse, in world: RoleWorld, _ number: Int) async throws {
        let ended = try await use.run(in: world, as: world.account, record: "full-\(number)")
        #expect(try await use.works(ended, "full-\(number)"), "\(use.name): \(ended.output)\(ended.errors)")
    }

    // MARK: - What is done

    private func make(_ world: RoleWorld) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for resource in [KubernetesResource.deployments, .statefulSets, .daemonSets] {
                group.addTask { try await world.release(resource, "web") }
            }
            for name in ["literal", "reference"] { group.addTask { try await world.release(.deployments, name, history: 0) } }
            group.addTask { try await world.release(.deployments, "secret") }
            for name in ["flags", "state", "loop", "shown", "kept"] { group.addTask { try await world.makeFlags(name) } }
            try await group.waitForAll()
        }
        _ = try await world.client.create(
            .secrets, namespace: RoleWorld.specs, RoleWorld.object("v1", "Secret", "values", ["stringData": ["mode": "a"]]))
    }

    private func workloads(_ world: RoleWorld) throws -> [[RoleUse]] {
        [
            try workloads("deployments", "deployment", "replicasets", [Grant("targets", "list", "pods")], world),
            try workloads("statefulsets", "statefulSet", "controllerrevisions", [], world),
            try workloads("daemonsets", "daemonSet", "controllerrevisions", [], world),
        ]
    }

    private func workloads(
        _ plural: String, _ key: String, _ history: String, _ more: [Grant], _ world: RoleWorld
    ) throws -> [RoleUse] {
        func grant(_ verb: String, _ plural: String) -> Grant { Grant("targets", verb, "\(plural).apps") }
        let spec = try world.spec("old-\(key.lowercased())", "\(key): web")
        let missing = try world.spec("none-\(key.lowercased())", "\(key): nope")
        let reads: [Grant] = [grant("get", plural), grant("list", history)] + more
        let plan = RoleUse.plan("plan of \(plural)", reads, spec) { ended in
            ended.output.contains("(revision 1)") && !ended.output.contains("pods may not be listed")
        }
        let names = RoleUse.plan("plan of what is not there, \(plural)", [grant("list", plural)], missing) { ended in
            "\(ended.output)\(ended.errors)".contains("name one of these: ")
        }
        return [plan, names, RoleUse.once("undo of \(plural)", [grant("patch", plural), grant("get", history)], spec)]
    }

    private func configuration(_ world: RoleWorld) throws -> [RoleUse] {
        let literal = try world.spec("literal", "deployment: literal", release: "v2", env: "{MODE: a}")
        let reference = try world.spec("reference", "deployment: reference", release: "v2", env: "{MODE: {fromEnv: SETTING}}")
        let secret = try world.spec(
            "secret", "deployment: secret", release: "v2",
            env: "{MODE: {fromSecret: {namespace: \(RoleWorld.specs), name: values, key: mode}}}")
        return [
            .once("a value in a ConfigMap", ["get", "create"].map { Grant("configuration", $0, "configmaps") }, literal),
            .once("a value in a Secret", ["get", "create"].map { Grant("configuration", $0, "secrets") }, reference),
            .plan("plan with fromSecret", [Grant("references", "get", "secrets")], secret) { ended in
                ended.output.contains("MODE") && ended.status != 1
            },
            .once("a flag", ["get", "patch"].map { Grant("flags", $0, "configmaps") }, try world.flagSpec("flags")),
        ]
    }

    private func operation(_ world: RoleWorld) throws -> [RoleUse] {
        func state(_ verb: String) -> Grant { Grant("systems", verb, "systemstates.belay.dev") }
        func lease(_ verb: String) -> Grant { Grant("own", verb, "leases.coordination.k8s.io") }
        let spec = try world.flagSpec("state", state: "{cluster: {}}")
        let loop = ["-f", try world.flagSpec("loop")]
        let leading = "this replica leads"
        return [
            .shared("a record", [state("get"), state("create")], spec),
            .shared("a further record", [state("patch")], spec, needsFormer: true),
            .loop("an election", [lease("get"), lease("create")], loop + ["--leader-elect"], until: leading),
            .loop("a further election", [lease("patch")], loop + ["--leader-elect"], until: leading, needsFormer: true),
            .loop("replicas", [lease("list")], loop + ["--shard"], until: ": this replica "),
            RoleUse(
                name: "a replica that ends", grants: [lease("delete")],
                run: .loop(loop + ["--shard"], until: ": this replica ")
            ) { ended, record in
                let leases = try await world.client.list(.leases, namespace: RoleWorld.pods).items
                return !leases.contains { $0["metadata"]?["name"]?.string == "belay-replica-\(record)" }
            },
        ]
    }

    private func objects(_ world: RoleWorld) -> [RoleUse] {
        func grant(_ verb: String, _ name: String) -> Grant { Grant("systems", verb, name) }
        let repeated = RoleUse(
            name: "an event told twice", grants: [grant("patch", "events")],
            run: .object(["--adopt"]) { printed, world, name in
                try await world.spoilTwice(name, after: printed)
                return try await world.hasRepeatedEvent(of: name)
            }
        ) { _, record in try await world.hasRepeatedEvent(of: record) }
        let once = RoleUse(name: "objects, once", grants: [Self.unseen], run: .object(["--once", "--adopt"], until: nil)) { ended, _ in
            ended.status == 0
        }
        let system = "systems.belay.dev"
        return [
            .object("objects", [grant("list", system), grant("watch", system)]), .object("a status", [grant("patch", "\(system)/status")]),
            .object("a finalizer", [grant("patch", system)]), .object("an event", [grant("create", "events")]), repeated, once,
        ]
    }

    private func mirrors(_ world: RoleWorld) throws -> [RoleUse] {
        @Sendable func isShown(_ world: RoleWorld, _ name: String) async throws -> Bool { try await world.mirror("shown") == name }
        @Sendable func isGone(_ world: RoleWorld, _ name: String) async throws -> Bool { try await world.mirror("left-\(name)") == nil }
        return [
            RoleUse(
                name: "a mirror", grants: [Grant("mirrors", "create", "systems.belay.dev")],
                run: .mirror(spec: try world.flagSpec("shown"), leavingOne: false, until: isShown)
            ) { _, record in try await isShown(world, record) },
            RoleUse(
                name: "a mirror that is left over", grants: [Grant("mirrors", "delete", "systems.belay.dev")],
                run: .mirror(spec: try world.flagSpec("kept"), leavingOne: true, until: isGone)
            ) { _, record in try await isGone(world, record) },
        ]
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
                ["--once", "--adopt", "--timeout", "60s", "-f", spec], as: account, record: "clean-\(name)", value: value)
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
