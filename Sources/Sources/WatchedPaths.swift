public import Model
import SpecLoading
import Synchronization

/// Files and directory trees that are read again when the kernel says that they changed.
public struct WatchedPaths: WatchedSource {
    private let source: PathSource
    private let watch: FileWatch
    private let rereading: Duration
    private let clock: any Clock<Duration>

    /// Begins to watch. An error is one of the paths that is not there, or a limit of the system on watching.
    ///
    /// - Parameter rereading: the longest time after which the paths are read again though nothing was seen: another host's writes to a shared
    ///   file system are not.
    /// - Parameter filesRead: what is watched beside the specs.
    public init(
        _ paths: [String], rereading: Duration, clock: any Clock<Duration>, git: Git = Git(), filesRead: @escaping FilesRead = { _ in [] }
    ) async throws(SourceError) {
        let memory = FilesReadMemory(filesRead)
        source = PathSource(paths, git: git, filesRead: memory.paths)
        var gitDirectories: Set<String> = []
        for directory in Set(paths.map(Git.directory)) {
            guard let root = try await git.workTree(holding: directory),
                let answer = try await git.run(in: root, ["rev-parse", "--absolute-git-dir"]), answer.status == 0
            else { continue }
            gitDirectories.insert(answer.output.firstLine)
        }
        watch = try FileWatch(WatchPlan(paths: paths, gitDirectories: gitDirectories.sorted()))
        self.rereading = rereading
        self.clock = clock
    }

    public func snapshot() async throws(SourceError) -> Snapshot {
        var snapshot = try await source.snapshot()
        watch.watch(further: snapshot.beside.keys.sorted())
        if let trouble = watch.trouble { snapshot.notes.append(trouble.message) }
        return snapshot
    }

    public func relation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation {
        try await source.relation(of: older, to: newer)
    }

    public func askedRelation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation {
        try await source.askedRelation(of: older, to: newer)
    }

    public func change() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watch.change() }
            group.addTask { try await clock.sleep(for: rereading) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

/// Remembers what the last files read, because they are asked for more often than they change.
private final class FilesReadMemory: Sendable {
    private let filesRead: FilesRead
    private let last: Mutex<(files: [SourceFile], paths: [String])?> = Mutex(nil)

    init(_ filesRead: @escaping FilesRead) { self.filesRead = filesRead }

    @Sendable func paths(_ files: [SourceFile]) -> [String] {
        if let last = last.withLock({ $0 }), last.files == files {
            return last.paths
        }
        let paths = filesRead(files)
        last.withLock { $0 = (files, paths) }
        return paths
    }
}
