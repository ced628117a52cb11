import TestPrograms

/// What the program does with one verb or several.
struct RoleUse: Sendable {
    enum Run: Sendable {
        /// The loop on a spec whose systems are shown, until that is so of the mirror's own name; with one that is left over where asked for.
        case mirror(spec: String, leavingOne: Bool, until: @Sendable (RoleWorld, _ name: String) async throws -> Bool)
        /// To its end.
        case once([String])
        /// The same, with the record where the spec says.
        case shared([String])
        /// The loop, until it has printed that.
        case loop([String], until: String)
        /// With a System object of its own: to its end, or until that is so of what was printed and of the object of that name.
        case object([String], until: (@Sendable (_ printed: String, RoleWorld, _ name: String) async throws -> Bool)?)
    }

    var name: String
    var grants: [Grant]
    var run: Run
    /// True if it must have been done once before what is missing can be missed.
    var needsFormer = false
    /// Whether it did it.
    var works: @Sendable (BuiltProgram.Ended, _ record: String) async throws -> Bool

    private static let once = ["--once", "--adopt", "--timeout", "60s", "-f"]

    static func plan(_ name: String, _ grants: [Grant], _ spec: String, works: @escaping @Sendable (BuiltProgram.Ended) -> Bool) -> RoleUse
    {
        RoleUse(name: name, grants: grants, run: .once(["plan", "-f", spec])) { ended, _ in works(ended) }
    }

    static func once(_ name: String, _ grants: [Grant], _ spec: String, needsFormer: Bool = false) -> RoleUse {
        RoleUse(name: name, grants: grants, run: .once(once + [spec]), needsFormer: needsFormer) { ended, _ in ended.status == 0 }
    }

    /// With the record where the spec says.
    static func shared(_ name: String, _ grants: [Grant], _ spec: String, needsFormer: Bool = false) -> RoleUse {
        RoleUse(name: name, grants: grants, run: .shared(once + [spec]), needsFormer: needsFormer) { ended, _ in ended.status == 0 }
    }

    static func loop(_ name: String, _ grants: [Grant], _ arguments: [String], until text: String, needsFormer: Bool = false) -> RoleUse {
        RoleUse(name: name, grants: grants, run: .loop(arguments, until: text), needsFormer: needsFormer) { ended, _ in
            ended.output.contains(text) && !ended.output.contains("the verb ")
        }
    }

    /// With a System object, until its pass has ended.
    static func object(_ name: String, _ grants: [Grant]) -> RoleUse {
        RoleUse(
            name: name, grants: grants, run: .object(["--adopt"]) { printed, _, name in printed.contains("✔ \(RoleWorld.specs)/\(name): ") }
        ) { ended, record in
            ended.output.contains("✔ \(RoleWorld.specs)/\(record): ") && !ended.output.contains("the verb ")
        }
    }

    /// - Parameter record: of the run: a name of its own among pods and directories.
    func run(in world: RoleWorld, as account: String, record: String) async throws -> BuiltProgram.Ended {
        switch run {
        case .once(let arguments): return try await world.reconcile(arguments, as: account, record: record)
        case .shared(let arguments): return try await world.reconcile(arguments, as: account, record: nil)
        case .loop(let arguments, let text):
            return try await world.loop(arguments, as: account, pod: record) { $0.contains(text) || $0.contains("the verb ") }
        case .mirror(let spec, let leavesOne, let isDone):
            if leavesOne { try await world.makeMirror("left-\(record)", of: record) }
            return try await world.loop(["--adopt", "-f", spec, "--mirror", record], as: account, pod: record) { printed in
                if printed.contains("the verb ") { return true }
                return try await isDone(world, record)
            }
        case .object(let arguments, let isDone):
            try await world.makeObject(record)
            let chosen =
                arguments + [
                    "--cluster", "--namespace", RoleWorld.specs, "--system", "\(RoleWorld.specs)/\(record)", "--allow-target-namespace",
                    "roles-flags",
                ]
            guard let isDone else { return try await world.reconcile(chosen, as: account, record: record) }
            return try await world.loop(chosen, as: account, pod: record) { printed in
                if printed.contains("the verb ") { return true }
                return try await isDone(printed, world, record)
            }
        }
    }
}
