internal import MigrationFiles
internal import SQLParsing
internal import Synchronization

/// What was found in Git histories: the same question is answered again without reading them, until a branch, a tag or the checked-out commit
/// is another. What was not found is looked for again: a history that was cut off may have become longer.
public final class GitAnswers: Sendable {
    struct Question: Hashable, Sendable {
        var tips: String
        var path: String
        var format: String?
        var order: String?
        var dialect: SQLDialect
        var version: String
        var file: String?
        var upHash: String?
    }

    private let known = Mutex<[Question: (script: MigrationScript, commit: String)]>([:])
    private static let limit = 1000

    public init() {}

    func known(_ question: Question) -> (script: MigrationScript, commit: String)? { known.withLock { $0[question] } }

    func remember(_ answer: (script: MigrationScript, commit: String), for question: Question) {
        known.withLock { known in
            if known.count >= Self.limit { known.removeAll() }
            known[question] = answer
        }
    }
}
