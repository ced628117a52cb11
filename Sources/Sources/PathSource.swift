import Crypto
public import Model
import SpecLoading

/// Files, directory trees and standard input, as named on the command line.
///
/// Inside one Git work tree the revision is its `HEAD`; elsewhere it is a digest over names and bytes.
public struct PathSource: SpecSource {
    private let paths: [String]
    private let reader: PathReader
    private let git: Git
    private let filesRead: FilesRead

    /// - Parameters:
    ///   - paths: files, directories, and `-` for standard input (at most once).
    ///   - git: nil looks for the program on the search path.
    ///   - filesRead: what is looked at beside the specs, so that a change of it is one of the snapshot.
    public init(_ paths: [String], git: Git = Git(), filesRead: @escaping FilesRead = { _ in [] }) {
        self.paths = paths
        reader = PathReader()
        self.git = git
        self.filesRead = filesRead
    }

    public func snapshot() async throws(SourceError) -> Snapshot {
        var files: [SourceFile] = []
        for path in paths { files += try reader.files(at: path) }
        files.sort { $0.name < $1.name }
        let readBeside = Set(filesRead(files)).sorted()
        let beside = Dictionary(uniqueKeysWithValues: readBeside.map { ($0, FileContents.identity(of: $0)) })
        guard let tree = try await commonWorkTree() else {
            return Snapshot(revision: Revision(.digest, Self.digest(of: files)), files: files, beside: beside)
        }
        let names = files.map(\.name)
        // What else is read belongs to the revision where it stands in the same tree.
        let within = readBeside.filter { Git.resolved($0).hasPrefix(tree.root + "/") }
        // Side by side: most of the time goes into starting the program.
        async let dirty = tree.isDirty(paths + within, holding: names)
        guard let head = try await tree.head() else {
            let note = "\(tree.root) is a Git work tree without a commit; its revision is a digest of the files"
            return Snapshot(revision: Revision(.digest, Self.digest(of: files)), files: files, notes: [note], beside: beside)
        }
        let isDirty = try await dirty.get()
        let revision = Revision(.commit, head.id, isDirty: isDirty, committed: head.committed)
        return Snapshot(
            revision: revision, files: files,
            notes: isDirty ? ["the specs differ from commit \(head.id.prefix(12)): the working tree is dirty"] : [], beside: beside)
    }

    public func relation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation {
        if older.kind == newer.kind, older.id == newer.id { return .same }
        guard older.kind == .commit, newer.kind == .commit, let tree = try await commonWorkTree() else { return .unknown }
        return try await tree.relation(of: older.id, to: newer.id)
    }

    public func askedRelation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation {
        let known = try await relation(of: older, to: newer)
        guard known == .unknown, older.kind == .commit, newer.kind == .commit, let tree = try await commonWorkTree() else { return known }
        return try await tree.askedRelation(of: older.id, to: newer.id)
    }

    /// The work tree that holds every path; nil when there is none, or standard input is among them.
    private func commonWorkTree() async throws(SourceError) -> GitWorkTree? {
        var roots: Set<String> = []
        guard !paths.contains("-") else { return nil }
        for directory in Set(paths.map(Git.directory)) {
            guard let root = try await git.workTree(holding: directory) else { return nil }
            roots.insert(root)
        }
        guard roots.count == 1, let root = roots.first else { return nil }
        return GitWorkTree(root: root, git: git)
    }

    /// The work tree of one file; nil when there is none.
    func workTree(holding file: String) async throws(SourceError) -> GitWorkTree? {
        guard file != "<stdin>", let root = try await git.workTree(holding: Git.directory(of: file)) else { return nil }
        return GitWorkTree(root: root, git: git)
    }

    private static func digest(of files: [SourceFile]) -> String {
        var hash = SHA256()
        for file in files {
            // Lengths in front, so that no two different sets of files give the same bytes.
            hash.update(data: Array("\(file.name.utf8.count) \(file.name) \(file.bytes.count) ".utf8))
            hash.update(data: file.bytes)
        }
        return hash.finalize().hexadecimal
    }
}
