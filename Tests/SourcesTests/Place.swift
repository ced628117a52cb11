import FoundationEssentials
import Glibc

/// A temporary directory, and the real `git` in it.
struct Place {
    let root: String

    init() throws {
        var template = Array("/tmp/belay-sources-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template), let real = realpath(made, nil) else { throw Failure(text: "no temporary directory") }
        defer { free(real) }
        root = String(cString: real)
    }

    struct Failure: Error { var text: String }

    func remove() { try? FileManager.default.removeItem(atPath: root) }

    @Sendable func path(_ name: String) -> String { root + "/" + name }

    func write(_ name: String, _ text: String) throws {
        let path = path(name)
        let directory = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        try FileManager.default.createDirectory(atPath: String(directory), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    func git(_ arguments: String...) throws {
        let words = ["git", "-C", root, "-c", "user.name=t", "-c", "user.email=t@example.com"] + arguments
        var pid: pid_t = 0
        let argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for word in argv { free(word) } }
        let variables = ["PATH=\(getenv("PATH").map { String(cString: $0) } ?? "/usr/bin")", "HOME=\(root)"]
        let dates = ["GIT_AUTHOR_DATE=1700000000 +0000", "GIT_COMMITTER_DATE=1700000000 +0000", "GIT_CONFIG_NOSYSTEM=1"]
        let envp: [UnsafeMutablePointer<CChar>?] = (variables + dates).map { strdup($0) } + [nil]
        defer { for variable in envp { free(variable) } }
        guard posix_spawnp(&pid, "git", nil, nil, argv, envp) == 0 else { throw Failure(text: "git is not there") }
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        guard status == 0 else { throw Failure(text: "git \(arguments) ended with \(status)") }
    }

    /// Commits everything and returns the commit's id.
    func commit(_ message: String) throws -> String {
        try git("add", ".")
        try git("commit", "-q", "-m", message)
        let head = try String(contentsOf: URL(filePath: path(".git/HEAD")), encoding: .utf8)
        let line = head.split(separator: "\n").first.map(String.init) ?? ""
        guard line.hasPrefix("ref: ") else { return line }
        return try String(contentsOf: URL(filePath: path(".git/" + line.dropFirst(5))), encoding: .utf8).split(separator: "\n").first.map(
            String.init)
            ?? ""
    }
}
