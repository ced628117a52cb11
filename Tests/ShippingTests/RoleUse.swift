import TestPrograms

/// What the program does with one verb or several.
struct RoleUse: Sendable {
    enum Run: Sendable {
        /// To its end.
        case once([String])
        /// The same, with the record where the spec says.
        case shared([String])
        /// The loop, until it has printed that.
        case loop([String], until: String)
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

    /// - Parameter record: of the run: a name of its own among pods and directories.
    func run(in world: RoleWorld, as account: String, record: String) async throws -> BuiltProgram.Ended {
        switch run {
        case .once(let arguments): try await world.reconcile(arguments, as: account, record: record)
        case .shared(let arguments): try await world.reconcile(arguments, as: account, record: nil)
        case .loop(let arguments, let text): try await world.loop(arguments, as: account, pod: record, until: [text, "the verb "])
        }
    }
}
