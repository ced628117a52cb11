package import Model
package import State

extension LockHolder {
    package static func make(_ user: String = "ann") -> LockHolder {
        LockHolder(user: user, host: "build-7", boot: "boot-1", pid: 4711, command: "reconcile --once", since: .example)
    }
}

extension Timestamp {
    package static let example = Timestamp(millisecondsSinceEpoch: 1_795_392_000_000)
}

extension JournalEntry {
    package static func accepted(_ digit: Character) -> JournalEntry {
        .accepted(.init(revision: Revision(.commit, String(repeating: digit, count: 40))))
    }
}

/// The error of a body that must fail.
package func stateError(_ body: () async throws -> Void) async throws -> StateError {
    do { try await body() } catch let error as StateError { return error }
    throw Missing()
}

private struct Missing: Error {}
