internal import CPostgres

/// Where a PostgreSQL server is and who connects, as `postgres://…` or `key=value` text says it. Its description holds no password.
public struct PostgresAddress: Sendable, Hashable {
    /// By libpq's keyword.
    private var options: [String: String]

    /// Reads a connection URL or a `key=value` string as libpq does: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
    public init(_ text: String) throws(SQLError) {
        guard !text.utf8.contains(0) else { throw SQLError(.misconfigured, "the address of the database holds a zero byte") }
        var message: UnsafeMutablePointer<CChar>?
        guard let parsed = PQconninfoParse(text, &message) else {
            // libpq's message may quote the text, password included.
            PQfreemem(message)
            throw Self.unreadable
        }
        defer { PQconninfoFree(parsed) }
        var options: [String: String] = [:]
        var option = parsed
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { options[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        self.options = options
        // A special character in a password moves a part of it into what libpq takes for the host: that must not be shown.
        let isHost = (options["host"] ?? "").utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "@") }
        let isPort = (options["port"] ?? "").utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ",") }
        guard isHost, isPort else { throw Self.unreadable }
    }

    private static let unreadable = SQLError(
        .misconfigured,
        "the address of the database cannot be read; expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, with special characters "
            + "percent-encoded")

    /// Nil where libpq's default counts, which is the user's name.
    public var database: String? { options["dbname"] }
    public var host: String? { options["host"] ?? options["hostaddr"] }
    public var port: String? { options["port"] }

    /// The same server and user with another database.
    public func withDatabase(_ name: String) -> PostgresAddress {
        var other = self
        other.options["dbname"] = name
        return other
    }

    /// What a program of PostgreSQL needs in its environment to connect to the same place: no secret has to stand among its arguments.
    public var environment: [String: String] {
        let names = [
            "host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER",
            "password": "PGPASSWORD",
            "passfile": "PGPASSFILE", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY",
            "channel_binding": "PGCHANNELBINDING", "service": "PGSERVICE", "gssencmode": "PGGSSENCMODE",
            "target_session_attrs": "PGTARGETSESSIONATTRS",
        ]
        var environment: [String: String] = ["PGCONNECT_TIMEOUT": "10"]
        for (keyword, variable) in names { if let value = options[keyword] { environment[variable] = value } }
        return environment
    }

    /// The keywords and values for a connection; what the address itself says comes first, except for the encoding.
    func parameters(applicationName: String) -> [(String, String)] {
        var all = options
        all["application_name"] = applicationName
        all["client_encoding"] = "UTF8"
        for (keyword, value) in [
            "keepalives": "1", "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "30000",
        ] where all[keyword] == nil {
            all[keyword] = value
        }
        return all.map { ($0.key, $0.value) }
    }
}

extension PostgresAddress: CustomStringConvertible, CustomReflectable {
    /// `main at db.example.com:5432`.
    public var description: String { "\(database ?? "the default database") at \(host ?? "localhost"):\(port ?? "5432")" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
