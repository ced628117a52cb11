internal import Model

/// Where PostgreSQL's own programs are. A dump needs ones that are at least as new as the server.
public struct PostgresPrograms: Sendable {
    enum Name: String, Sendable {
        case dump = "pg_dump"
        case restore = "pg_restore"
        case psql
    }

    /// Directories with the major version of their programs.
    private var directories: [(path: String, major: Int?)]
    /// For messages.
    private var places: String

    /// - Parameter environment: `BELAY_PG_BIN` names the directory that is used whatever its version; otherwise Debian's and the Red Hat
    ///   family's places are looked at, then `PATH`.
    public init(environment: [String: String]) {
        if let given = environment["BELAY_PG_BIN"], !given.isEmpty {
            directories = [(given, nil)]
            places = "\(given) (BELAY_PG_BIN)"
            return
        }
        directories = Self.installed(under: "/usr/lib/postgresql", prefix: "") + Self.installed(under: "/usr", prefix: "pgsql-")
        directories.sort { ($0.major ?? 0) < ($1.major ?? 0) }
        // Debian's programs in PATH are wrappers that choose by cluster: they come last.
        let path = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        directories += path.map { (String($0), nil) }
        places = "/usr/lib/postgresql, /usr/pgsql-* and PATH"
    }

    private static func installed(under root: String, prefix: String) -> [(path: String, major: Int?)] {
        guard Files.isDirectory(root) else { return [] }
        let names: [String]
        do throws(Problem) { names = try Files.names(in: root) } catch { return [] }  // Not readable: nothing is installed there for us.
        return names.compactMap { name in
            guard name.hasPrefix(prefix), let major = Int(name.dropFirst(prefix.count)) else { return nil }
            return ("\(root)/\(name)/bin", major)
        }
    }

    /// The oldest that is new enough for the server, so that what it writes can be read by as many as possible.
    func path(of program: Name, serverVersion: Int) async throws(Problem) -> String {
        let needed = serverVersion / 10_000
        var tooOld: [Int] = []
        for (directory, known) in directories {
            let path = "\(directory)/\(program.rawValue)"
            guard Files.isExecutable(path) else { continue }
            guard let major = known == nil ? await Self.major(of: path) : known else { continue }
            if major >= needed { return path }
            tooOld.append(major)
        }
        let next =
            "install the client programs of PostgreSQL \(needed) or newer (Debian: apt-get install postgresql-client-\(needed)), or name "
            + "the directory that holds them with BELAY_PG_BIN"
        if let newest = tooOld.max() {
            throw Problem(
                "ProgramTooOld", "\(program.rawValue) \(newest) cannot read a server of version \(needed); looked in \(places)", next: next)
        }
        throw Problem("ProgramMissing", "there is no program \(program.rawValue) in \(places)", next: next)
    }

    private static func major(of path: String) async -> Int? {
        let run = ProgramRun(executable: path, arguments: ["--version"], environment: [:], deadline: .seconds(10))
        // Not a program of theirs.
        do throws(Problem) { return major(in: try await run.run(outputLimit: 4096).output) } catch { return nil }
    }

    /// `pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)` is 15.
    static func major(in answer: String) -> Int? {
        let words = answer.split(whereSeparator: \.isWhitespace)
        guard words.count > 2, words[1] == "(PostgreSQL)" else { return nil }
        return Int(words[2].prefix { $0.isNumber })
    }
}
