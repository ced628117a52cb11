internal import CPostgres

/// Where a PostgreSQL server is and who connects, as `postgres://…` or `key=value` text says it. Its description holds no password.
public struct PostgresAddress: Sendable, Hashable {
    /// By libpq's keyword.
    private var options: [String: String]

    /// Reads a connection URL or a `key=value` string as libpq does: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
    ///
    /// Parameters that other clients put into a URL for themselves (`pgbouncer`, `connection_limit`, `schema` and the like) are dropped.
    public init(_ text: String) throws(SQLError) {
        guard !text.utf8.contains(0) else { throw SQLError(.misconfigured, "the address of the database holds a zero byte") }
        let text = Self.withoutForeignParameters(text)
        guard Self.hasPasswordInItsPlace(text) else { throw Self.unreadable }
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
        let isHost = (options["host"] ?? "").utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "@") }
        let isPort = (options["port"] ?? "").utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ",") }
        guard isHost, isPort else { throw Self.unreadable }
    }

    private static let unreadable = SQLError(
        .misconfigured,
        "the address of the database cannot be read; expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, with special characters "
            + "percent-encoded")

    /// A special character in a password moves a part of it into what libpq takes for the host or the database, which are shown.
    private static func hasPasswordInItsPlace(_ text: String) -> Bool {
        guard let scheme = text.firstRange(of: "://") else { return true }
        let place = text[scheme.upperBound...].prefix { $0 != "?" }
        let authority = place.prefix { $0 != "/" }
        return place.filter { $0 == "@" }.count == authority.filter { $0 == "@" }.count && authority.filter { $0 == "@" }.count <= 1
    }

    private static func withoutForeignParameters(_ text: String) -> String {
        let end = text.lastIndex(of: "@") ?? text.startIndex
        guard text.contains("://"), let mark = text[end...].firstIndex(of: "?") else { return text }
        let foreign: Set<Substring> = [
            "pgbouncer", "connection_limit", "pool_timeout", "socket_timeout", "schema", "statement_cache_size", "prepared_statements",
            "prepareThreshold", "binary_parameters", "supa",
        ]
        let kept = text[text.index(after: mark)...].split(separator: "&").filter { !foreign.contains($0.prefix { $0 != "=" }) }
        return text[..<mark] + (kept.isEmpty ? "" : "?" + kept.joined(separator: "&"))
    }

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

    /// The address as text that can be read again. Holds the password: never for output.
    public var revealed: String {
        func encoded(_ text: String) -> String {
            text.utf8.map { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: String(UnicodeScalar(byte))
                default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
                }
            }.joined()
        }
        return "postgresql://?" + options.sorted { $0.key < $1.key }.map { "\($0.key)=\(encoded($0.value))" }.joined(separator: "&")
    }

    /// What a program of PostgreSQL needs in its environment, over the one that this process has, to connect to the same place: no secret
    /// has to stand among its arguments.
    public var environment: [String: String] {
        var environment = ["PGCONNECT_TIMEOUT": "10"]
        guard let known = PQconninfoParse("", nil) else { return environment }
        defer { PQconninfoFree(known) }
        var option = known
        while let keyword = option.pointee.keyword {
            if let variable = option.pointee.envvar, let value = options[String(cString: keyword)] {
                environment[String(cString: variable)] = value
            }
            option += 1
        }
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
