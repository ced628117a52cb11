import Subprocess
import Synchronization
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The `git` program. Every call is bounded in output and in time, and read-only but for those of `GitFile`.
public struct Git: Sendable {
    private let program: String
    private let deadline: Duration
    let variables: [String: String?]
    private let mayAsk: Bool

    /// - Parameters:
    ///   - program: a name on the search path, or an absolute path.
    ///   - deadline: of every call.
    ///   - variables: for its environment beside the own one; nil takes one away.
    ///   - mayAsk: whether what it runs may ask somebody at the terminal (the passphrase of a key). Otherwise it has a session of its own, and
    ///     whatever it started ends with it.
    public init(
        program: String = "git", deadline: Duration = .seconds(20), variables: [String: String?] = [:], mayAsk: Bool = false
    ) {
        self.program = program
        self.deadline = deadline
        self.variables = variables
        self.mayAsk = mayAsk
    }

    /// `git` that works with what is here, and speaks to nobody.
    public static let reachingNoHost = Git(variables: ["GIT_ALLOW_PROTOCOL": ""])

    /// The same with further variables.
    func adding(_ variables: [String: String?]) -> Git {
        Git(program: program, deadline: deadline, variables: self.variables.merging(variables) { $1 }, mayAsk: mayAsk)
    }

    struct Answer: Sendable {
        var status: Int32
        var output: String
        var errors: String
    }

    private enum Run: Sendable {
        case ended(Answer)
        case missing
        case failed(String)
        case timedOut
    }

    /// Runs `git -C directory arguments…`; nil when there is no such program.
    ///
    /// - Parameter deadline: of this call; nil is that of every call.
    func run(in directory: String, _ arguments: [String], within deadline: Duration? = nil) async throws(SourceError) -> Answer? {
        guard let file = executable else { return nil }
        let command = "git \(arguments.first ?? "")"
        switch await race(file, ["-C", directory] + arguments, deadline ?? self.deadline) {
        case .ended(let answer): return answer
        case .missing: return nil
        case .failed(let why): throw SourceError(.gitFailed, "\(directory): \(command) could not be run: \(why)")
        case .timedOut:
            throw SourceError(
                .gitFailed,
                "\(directory): \(command) did not end within \(deadline ?? self.deadline) and was stopped; "
                    + "run git -C \(directory) \(arguments.first ?? "") by hand: a file system that does not answer holds it up, or a lock")
        }
    }

    /// The call against its deadline. It ends politely first, then by force, and so does whatever it started: a helper that talks to a host that
    /// does not answer.
    private func race(_ file: FilePath, _ arguments: [String], _ deadline: Duration) async -> Run {
        let group = ProcessGroup(isOwn: !mayAsk)
        return await withTaskGroup(of: Run.self) { tasks in
            tasks.addTask { [variables, mayAsk] in await Self.start(file, arguments, variables, mayAsk, group) }
            tasks.addTask {
                do { try await Task.sleep(for: deadline) } catch { return .failed("the pass was interrupted") }
                group.expire()
                do { try await Task.sleep(for: .milliseconds(500)) } catch {}
                group.send(SIGKILL)
                return .timedOut
            }
            let first = await tasks.next() ?? .timedOut
            tasks.cancelAll()
            return group.isExpired ? .timedOut : first
        }
    }

    private static func start(
        _ file: FilePath, _ arguments: [String], _ variables: [String: String?], _ mayAsk: Bool, _ group: ProcessGroup
    ) async -> Run {
        do {
            var changes: [Environment.Key: String?] = ["GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"]
            for (name, value) in variables { changes[Environment.Key(stringLiteral: name)] = value }
            var options = PlatformOptions()
            options.createSession = !mayAsk
            options.teardownSequence = [
                .gracefulShutDown(toProcessGroup: !mayAsk, allowedDurationToNextStep: .milliseconds(500))
            ]
            let result = try await Subprocess.run(
                .path(file), arguments: Arguments(arguments),
                // A status must not write the index of somebody's tree, and a prompt would hang a pipeline.
                environment: .inherit.updating(changes),
                platformOptions: options, input: .none, output: .string(limit: 4 << 20), error: .string(limit: 1 << 16)
            ) { execution in
                group.begin(execution.processIdentifier.value)
            }
            let status: Int32 =
                switch result.terminationStatus {
                case .exited(let code): code
                case .signaled(let signal): 128 + signal
                }
            return .ended(Answer(status: status, output: result.standardOutput, errors: result.standardError))
        } catch let error as SubprocessError where error.code == .executableNotFound {
            return .missing
        } catch {
            return .failed("\(error)")
        }
    }

    /// A process, and those that it started where it has a session of its own.
    private final class ProcessGroup: Sendable {
        private let isOwn: Bool
        private let state = Mutex<(process: pid_t?, isExpired: Bool)>((nil, false))

        init(isOwn: Bool) { self.isOwn = isOwn }

        func begin(_ process: pid_t) { state.withLock { $0.process = process } }

        var isExpired: Bool { state.withLock { $0.isExpired } }

        /// Its time is up.
        func expire() {
            state.withLock { $0.isExpired = true }
            send(SIGTERM)
        }

        /// Nobody is there any more, or somebody is told.
        func send(_ signal: Int32) {
            guard let process = state.withLock({ $0.process }) else { return }
            kill(isOwn ? -process : process, signal)
        }
    }

    /// Where the program is. The file system is asked, because trying to start it in one place after another costs a process each.
    private var executable: FilePath? {
        if program.contains("/") { return FilePath(program) }
        let places = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        for place in places.split(separator: ":") {
            let path = "\(place)/\(program)"
            if Self.mode(of: path) == S_IFREG, access(path, X_OK) == 0 { return FilePath(path) }
        }
        return nil
    }

    /// The root of the work tree that holds a directory; nil outside of one. Inside of one, not having the program is an error: without the
    /// history an old revision could not be told from a new one.
    func workTree(holding directory: String) async throws(SourceError) -> String? {
        guard Self.mayBeInWorkTree(directory) else { return nil }
        guard let answer = try await run(in: directory, ["rev-parse", "--show-toplevel"]) else {
            throw SourceError(
                .gitFailed,
                "\(directory): this is a Git checkout, and there is no program git to read its history with; "
                    + "install git, or copy the specs out of the checkout to reconcile them without it")
        }
        if answer.status == 0 { return answer.output.firstLine }
        if answer.errors.contains("dubious ownership") {
            throw SourceError(
                .gitFailed,
                "\(directory): git refuses to read a work tree of another user, and without its history an old revision could not be told from a new one; "
                    + "run git config --global --add safe.directory \(directory)")
        }
        return nil
    }

    /// False where the program would find nothing: most of a start would be spent on asking it.
    private static func mayBeInWorkTree(_ directory: String) -> Bool {
        if getenv("GIT_DIR") != nil { return true }
        var place = resolved(directory)
        while place != "/" {
            if mode(of: place + "/.git") != nil { return true }
            guard let slash = place.lastIndex(of: "/"), slash > place.startIndex else { break }
            place = String(place[..<slash])
        }
        return mode(of: "/.git") != nil
    }

    /// The path itself if it is a directory, otherwise the one that it is in.
    static func directory(of path: String) -> String {
        if mode(of: path) == S_IFDIR { return path }
        // A link to a file stands for the file: its history is that of the tree that holds it.
        let path = resolved(path)
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func exists(_ path: String) -> Bool { mode(of: path) != nil }

    /// Its kind of file, links followed; nil when there is none.
    private static func mode(of path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    /// Without links and without relative parts; the path itself when nothing is there.
    static func resolved(_ path: String) -> String {
        guard let pointer = realpath(path, nil) else { return path }
        defer { free(pointer) }
        return String(cString: pointer)
    }
}

extension String {
    var firstLine: String { String(prefix { $0 != "\n" && $0 != "\r\n" }) }
}
