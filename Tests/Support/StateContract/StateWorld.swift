import Model
public import State

/// A fresh place for state, of one kind, and how its stores are made. Every store of one world shares the place, as processes would.
public struct StateWorld: Sendable {
    /// A store for the system of this name.
    public var store: @Sendable (_ name: String) -> any StateStore
    /// How long a lock lives without renewal: short, because it really passes.
    public var lease: Duration
    /// Whether another process may take the lock of one that has stood still for its lease: not where the kernel knows that it lives.
    public var expires: Bool

    public init(lease: Duration, expires: Bool, store: @escaping @Sendable (_ name: String) -> any StateStore) {
        self.store = store
        self.lease = lease
        self.expires = expires
    }

    func lock(
        _ user: String = "ann", _ name: String = "shop", patience: Duration = .zero
    ) async throws(StateError) -> any StateSession {
        try await store(name).lock(.named(user), patience: patience, clock: ContinuousClock())
    }

    /// The error of taking the lock; nil when it is taken, and then it is given back.
    func refusal(_ user: String = "bob", _ name: String = "shop", patience: Duration = .zero) async -> StateError? {
        do throws(StateError) {
            await (try await lock(user, name, patience: patience)).release()
            return nil
        } catch {
            return error
        }
    }
}

/// What was seen instead of what is promised.
struct Violation: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

func require(_ isKept: Bool, _ otherwise: @autoclosure () -> String) throws(Violation) {
    guard isKept else { throw Violation(otherwise()) }
}

extension LockHolder {
    /// On another kernel than this one.
    static func named(_ user: String) -> LockHolder {
        LockHolder(user: user, host: "build-7", boot: "boot-\(user)", pid: 4711, command: "reconcile --once", since: .example)
    }
}

extension JournalEntry {
    /// A small entry; the text has what a database could get wrong.
    static func intent(_ id: String, means: String = "rollback 'é' \u{1F600} \\ \" \u{0} \n $1 ?1") -> JournalEntry {
        .intent(
            Intent(
                id: id, resource: .component("web"),
                route: Route(.undo, means: means, class: .instant, token: "v2", isIdempotent: false),
                resolution: Resolution(
                    pin: .name("v2"), identity: ArtifactIdentity(.image, "v2"), lineage: [], label: "v2",
                    revision: Revision(.commit, String(repeating: "a", count: 40))),
                providerTime: .example, written: .example))
    }

    static let accepted = JournalEntry.accepted(.init(revision: Revision(.commit, String(repeating: "1", count: 40))))
}
