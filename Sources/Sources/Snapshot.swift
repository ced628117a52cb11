public import Model
public import SpecLoading

/// What a source held at one moment.
public struct Snapshot: Sendable {
    public var revision: Revision
    /// Sorted by name; names are as the user would write them.
    public var files: [SourceFile]
    /// Facts about the source that the user should know: `the working tree is dirty`.
    public var notes: [String]

    public init(revision: Revision, files: [SourceFile], notes: [String] = []) {
        self.revision = revision
        self.files = files
        self.notes = notes
    }
}

/// Where specs come from.
public protocol SpecSource: Sendable {
    /// Reads the source once.
    func snapshot() async throws(SourceError) -> Snapshot

    /// How `older` and `newer` relate in the source's own history.
    func relation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation
}

/// How one revision relates to another.
public enum RevisionRelation: Sendable, Hashable {
    case same
    /// The first is an ancestor of the second.
    case ancestor
    /// The first is a descendant of the second.
    case descendant
    /// Neither: two branches, or a rewritten history.
    case diverged
    /// The history does not tell: a digest has none, and a shallow clone lacks the commit.
    case unknown
}

/// Why a source could not be read.
public struct SourceError: Error, Sendable, Hashable {
    public enum Code: String, Sendable {
        case notFound, unreadable, tooLarge, noFiles, gitFailed
        /// Git could do it, and should not: a tree with other changes, a remote that moved.
        case refused
    }

    public var code: Code
    /// Names the path, what failed and what to do next.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension SourceError: CustomStringConvertible {
    public var description: String { message }
}
