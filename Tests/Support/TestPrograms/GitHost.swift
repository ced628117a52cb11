import FoundationEssentials
import Synchronization

/// A bare repository behind git's own server, which is there when it is wanted.
public final class GitHost: Sendable {
    private struct State {
        var isWanted = true
        var isOver = false
        var commits = 0
    }

    private let place: Place
    private let port = UInt16.random(in: 20_000...32_000)
    private let state = Mutex(State())

    public init(_ place: Place) { self.place = place }

    public var url: String { "git://127.0.0.1:\(port)/remote.git" }

    public var isWanted: Bool {
        get { state.withLock { $0.isWanted } }
        set { state.withLock { $0.isWanted = newValue } }
    }

    public func finish() { state.withLock { $0.isOver = true } }

    public var answers: Bool {
        get async throws { try await BuiltProgram(onSearchPath: "git").run(["ls-remote", url]).status == 0 }
    }

    /// Serves until ``finish()``.
    public func run() async throws {
        while !state.withLock({ $0.isOver }) {
            if isWanted {
                // Not by way of git, which would leave it behind where it is killed itself.
                let arguments = [
                    "-c", "exec \"$(git --exec-path)/git-daemon\" \"$@\"", "git-daemon", "--base-path=\(place.root)", "--export-all",
                    "--reuseaddr", "--listen=127.0.0.1", "--port=\(port)",
                ]
                _ = try await BuiltProgram(onSearchPath: "sh").run(arguments, by: .terminate) {
                    while state.withLock({ $0.isWanted && !$0.isOver }) { try await Task.sleep(for: .milliseconds(20)) }
                }
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Takes the repository away from where the server, which goes on, finds it, or brings it back.
    public func move(away isAway: Bool) throws {
        // A link, so that those who push are not in the way.
        let (link, repository) = (place.path("remote.git"), place.path("origin.git"))
        let isThere = FileManager.default.fileExists(atPath: link)
        if isAway, isThere { try FileManager.default.removeItem(atPath: link) }
        if !isAway, !isThere { try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: repository) }
    }

    /// Commits a spec and pushes it, on the file system: those who push go another way than those who read.
    ///
    /// - Returns: the commit.
    @discardableResult public func publish(_ spec: String) async throws -> String {
        let number = state.withLock { state in
            state.commits += 1
            return state.commits
        }
        if number == 1 {
            try await place.git("init", "-q", "--bare", "-b", "main", place.path("origin.git"))
            try move(away: false)
            try place.write(".gitignore", "/*\n!/specs\n")
        }
        // Two commits of one tree would be none.
        try place.write("specs/system.yaml", "\(spec)\n# \(number)\n")
        let commit = try await place.commit("commit \(number)")
        try await place.git("push", "-q", place.path("origin.git"), "HEAD:main")
        return commit
    }
}
