public import Model
public import SpecLoading

/// What a source held at one moment.
public struct Snapshot: Sendable {
    public var revision: Revision
    /// Sorted by name; names are as the user would write them.
    public var files: [SourceFile]
    /// Facts about the source that the user should know: `the working tree is dirty`.
    public var notes: [String]
    /// Why nobody knows whether this is still the newest: the source could not be asked, and this is what it held before. Nil when it is.
    public var trouble: SourceError?
    /// The directory that holds the files for as long as this snapshot is kept, and that has another name for every revision; nil where the
    /// files stand at the paths that the user named.
    public var checkout: Checkout?
    /// What tells the contents of the files and directories that the specs read beside themselves, by path as the specs name it.
    public var beside: [String: String]
    /// The repository that it comes from; nil where it comes from none that was named.
    public var address: GitAddress?
    /// What the repositories hold that its systems read migrations from, as nobody has looked at them.
    public var repositories: [MigrationRepository: RepositoryContent] = [:]
    /// The source itself says that the first contact with its systems may change them.
    public var adopts: Bool
    /// Its systems are to be let go of, and how; nil when they are wanted.
    public var leaving: Leaving?

    public enum Leaving: Sendable, Hashable {
        /// Providers get the automation back that was switched off for the pins.
        case restoringFences
        /// It is left as it is: for a provider that does not answer any more.
        case leavingFences
    }

    public init(
        revision: Revision, files: [SourceFile], notes: [String] = [], trouble: SourceError? = nil, checkout: Checkout? = nil,
        beside: [String: String] = [:], adopts: Bool = false, leaving: Leaving? = nil
    ) {
        self.revision = revision
        self.files = files
        self.notes = notes
        self.trouble = trouble
        self.checkout = checkout
        self.beside = beside
        self.adopts = adopts
        self.leaving = leaving
    }

    /// A text about a file, with its name as it is in the source: without the directory that it was checked out to.
    public func plain(_ text: String) -> String {
        guard let checkout else { return text }
        return text.replacing(checkout.path + "/", with: "")
    }

    /// True if both hold the same bytes of the file that a system comes from, wherever each was checked out to.
    public func holds(_ name: String, as other: Snapshot, _ otherName: String) -> Bool {
        guard let file = files.first(where: { $0.name == name }), let before = other.files.first(where: { $0.name == otherName }) else {
            return false
        }
        return file.bytes == before.bytes && plain(name) == other.plain(otherName)
    }

    /// True if both hold the same at paths that a system reads beside its file.
    public func holds(beside paths: [String], as other: Snapshot, _ otherPaths: [String]) -> Bool {
        guard paths.map(plain) == otherPaths.map(other.plain) else { return false }
        return zip(paths, otherPaths).allSatisfy { beside[$0] == other.beside[$1] }
    }
}

/// Which files and directories specs read beside themselves: migrations, values. Paths are as the specs resolve them: beside the file that
/// names them, or absolute.
public typealias FilesRead = @Sendable ([SourceFile]) -> [String]

/// A directory that one revision was checked out to. It is taken away some time after the last reference is gone.
public final class Checkout: Sendable {
    /// Absolute.
    public let path: String
    /// What nobody else may have for as long as somebody reads here.
    private let place: GitPlace?

    init(_ path: String, in place: GitPlace? = nil) {
        self.path = path
        self.place = place
    }
}

/// Where specs come from.
public protocol SpecSource: Sendable {
    /// Reads the source once. Not to be called while another call is under way.
    func snapshot() async throws(SourceError) -> Snapshot

    /// Reads the source once, whole. Throws when nothing can be said of any part. Not to be called while another call is under way.
    func holding() async throws(SourceError) -> Holding

    /// How `older` and `newer` relate in the source's own history.
    func relation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation

    /// The same, after the host was asked for what of the history is missing here: for the rare case that is decided by nothing else. What the
    /// host does not give stays unknown.
    func askedRelation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation

    /// True if the source is known to hold another revision by now. Cheap enough to be asked before every step; an unreadable source
    /// supersedes nothing.
    func supersedes(_ snapshot: Snapshot) async -> Bool

    /// Remembers that a snapshot loads, so that a later process finds it as ``Holding/Part/lastGood``. A snapshot of another source is let be.
    func accept(_ snapshot: Snapshot) async
}

extension SpecSource {
    /// Nothing is remembered where files stand at the user's own paths.
    public func accept(_ snapshot: Snapshot) async {}

    /// Nobody has more of it.
    public func askedRelation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation {
        try await relation(of: older, to: newer)
    }

    public func supersedes(_ snapshot: Snapshot) async -> Bool {
        do throws(SourceError) { return try await self.snapshot().revision != snapshot.revision } catch { return false }
    }
}

/// What a source holds at one moment: one snapshot, or several side by side, each right or wrong for itself.
public struct Holding: Sendable {
    /// One part of it, with a revision of its own.
    public struct Part: Sendable {
        /// What tells it from the others, and stays the same from one revision of it to the next: `default/shop`. Empty where it is the only one.
        public var origin: String
        /// The one system that the part is for whatever it holds; nil where that is not known before it loads.
        public var system: SystemID?
        /// What it holds, or why it cannot be read; then the systems that it held before are only looked at.
        public var result: Result<Snapshot, SourceError>
        /// What of it loaded last in a process before this one, for as long as nothing did in this one: it is looked at where the result is
        /// wrong. Nil where that is the result itself, or not known.
        public var lastGood: Snapshot?

        public init(
            origin: String = "", of system: SystemID? = nil, _ result: Result<Snapshot, SourceError>, lastGood: Snapshot? = nil
        ) {
            self.origin = origin
            self.system = system
            self.result = result
            self.lastGood = lastGood
        }
    }

    /// Where two claim the same, the first has it, unless the other had it before. A part that is missing is gone.
    public var parts: [Part]
    /// Why nobody knows whether this is still so: what could not be asked. Empty when it is.
    public var troubles: [SourceError]

    public init(_ parts: [Part], troubles: [SourceError] = []) {
        self.parts = parts
        self.troubles = troubles
    }

    /// True if there is nothing that could be worked on or looked at: not one part was read, and no revision is known that is refused.
    public var isUnread: Bool {
        !parts.isEmpty
            && parts.allSatisfy { part in
                if case .failure(let error) = part.result { error.revision == nil && part.lastGood == nil } else { false }
            }
    }
}

/// A source that tells when it is worth reading again.
public protocol WatchedSource: SpecSource {
    /// Returns when the source may hold something else than it did. May be early: then a new snapshot is as the last one was.
    ///
    /// Throws `CancellationError` when the task is cancelled, and nothing else.
    func change() async throws
}

extension SpecSource {
    /// The one snapshot.
    public func holding() async throws(SourceError) -> Holding {
        let snapshot = try await snapshot()
        return Holding([.init(.success(snapshot))], troubles: snapshot.trouble.map { [$0] } ?? [])
    }
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
        /// A clone lacks what it must have.
        case damaged
        /// Git could do it, and should not: a tree with other changes, a remote that moved.
        case refused
    }

    public var code: Code
    /// Names the path, what failed and what to do next.
    public var message: String
    /// The revision that cannot be read, where it is one that was found.
    public var revision: Revision?

    public init(_ code: Code, _ message: String, of revision: Revision? = nil) {
        self.code = code
        self.message = message
        self.revision = revision
    }
}

extension SourceError: CustomStringConvertible {
    public var description: String { message }
}
