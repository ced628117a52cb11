import FoundationEssentials
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A temporary directory of one test's own, and the real `git` in it. One that is not removed before goes when the process ends by itself.
public struct Place: Sendable {
    public let root: String

    public init() throws {
        let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
        root = folder.appending(path: "belay-test-\(UInt64.random(in: .min ... .max))").path
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        Leftovers.shared.add(root)
    }

    public func remove() throws {
        Leftovers.shared.drop(root)
        try FileManager.default.removeItem(atPath: root)
    }

    @Sendable public func path(_ name: String) -> String { root + "/" + name }

    /// Writes a file and the directories above it; returns its path.
    @discardableResult public func write(_ name: String, _ text: String) throws -> String {
        let path = path(name)
        let directory = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        try FileManager.default.createDirectory(atPath: String(directory), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    public func read(_ name: String) throws -> String { try String(contentsOf: URL(filePath: path(name)), encoding: .utf8) }

    /// Runs `git` here, apart from the user's configuration, at a fixed time. Returns the first line that it printed.
    @discardableResult public func git(_ arguments: String...) async throws -> String { try await git(arguments) }

    @discardableResult public func git(_ arguments: [String]) async throws -> String {
        let time = "1700000000 +0000"
        let ended = try await BuiltProgram(onSearchPath: "git").run(
            ["-C", root, "-c", "user.name=t", "-c", "user.email=t@example.com"] + arguments,
            variables: [
                "GIT_AUTHOR_DATE": time, "GIT_COMMITTER_DATE": time, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
            ])
        guard ended.status == 0 else { throw GitFailure(arguments: arguments, text: ended.errors) }
        return ended.output.split(separator: "\n").first.map(String.init) ?? ""
    }

    /// Commits everything and returns the commit's id.
    public func commit(_ message: String) async throws -> String {
        try await git("add", ".")
        try await git("commit", "-q", "-m", message)
        return try await git("rev-parse", "HEAD")
    }

    public struct GitFailure: Error {
        public var arguments: [String]
        public var text: String
    }
}

/// What is there still when the process ends. A test that fails or forgets to remove its place leaves nothing behind so.
private final class Leftovers: Sendable {
    static let shared = Leftovers()
    private let paths = Mutex<Set<String>>([])

    private init() { atexit { Leftovers.shared.removeAll() } }

    func add(_ path: String) { paths.withLock { _ = $0.insert(path) } }

    func drop(_ path: String) { paths.withLock { _ = $0.remove(path) } }

    private func removeAll() {
        for path in paths.withLock({ $0 }) {
            do { try FileManager.default.removeItem(atPath: path) } catch {}  // Nobody is left to tell.
        }
    }
}
