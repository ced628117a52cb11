internal import CPostgres

/// What a server answered to one request, which may hold several statements.
struct PostgresAnswer {
    private let address: PostgresAddress
    /// Of every statement that ended well, where all of them are wanted; else of the last one.
    private(set) var rows: [SQLRows] = []
    private let keepsAll: Bool
    /// The first one.
    private(set) var error: SQLError?
    /// Statements that have ended well.
    private var completed = 0

    init(_ address: PostgresAddress, keepsAll: Bool) {
        self.address = address
        self.keepsAll = keepsAll
    }

    mutating func add(_ result: OpaquePointer) {
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK:
            keep(Self.rows(result))
        case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            keep(SQLRows(affected: Self.affected(result)))
        default:
            guard error == nil else { return }
            error = refusal(result)
            error?.completed = completed
        }
    }

    private mutating func keep(_ found: SQLRows) {
        if !keepsAll { rows.removeAll(keepingCapacity: true) }
        rows.append(found)
        completed += 1
    }

    /// `COPY` asks for data, or sends some, that nobody here can give or take.
    mutating func refuse(_ message: String) { error = error ?? SQLError(.statement, "\(address): \(message)", sqlState: "0A000") }

    func rowsOrError() throws(SQLError) -> SQLRows {
        if let error { throw error }
        return rows.last ?? SQLRows()
    }

    func stopped(_ message: String) -> SQLError {
        SQLError(.cancelled, "\(address): \(message)\(error == nil ? ", but had ended already" : "")", sqlState: error?.sqlState)
    }

    private func refusal(_ result: OpaquePointer) -> SQLError {
        // The field codes of https://www.postgresql.org/docs/current/protocol-error-fields.html
        func field(_ code: Character) -> String? {
            PQresultErrorField(result, Int32(code.asciiValue ?? 0)).map { String(cString: $0) }
        }
        let message = field("M") ?? Self.text(PQresultErrorMessage(result))
        return SQLError(
            .statement, "\(address): \(message)", sqlState: field("C"), detail: field("D"), hint: field("H"),
            position: field("P").flatMap { Int($0) })
    }

    private static func rows(_ result: OpaquePointer) -> SQLRows {
        let (width, height) = (PQnfields(result), PQntuples(result))
        let isBytes = (0..<width).map { PQftype(result, $0) == 17 }
        var rows: [[String?]] = []
        rows.reserveCapacity(Int(height))
        for row in 0..<height {
            rows.append(
                (0..<width).map { column in
                    guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column) else { return nil }
                    let text = UnsafeRawBufferPointer(start: value, count: Int(PQgetlength(result, row, column)))
                    let isEscaped = isBytes[Int(column)] && !text.starts(with: Array("\\x".utf8))
                    return isEscaped ? unescaped(value) : String(decoding: text, as: UTF8.self)
                })
        }
        let columns = (0..<width).map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
        return SQLRows(columns: columns, rows: rows, affected: affected(result))
    }

    /// Bytes of a server whose `bytea_output` is `escape`.
    private static func unescaped(_ text: UnsafePointer<CChar>) -> String? {
        var count = 0
        let value = text.withMemoryRebound(to: UInt8.self, capacity: 1) { PQunescapeBytea($0, &count) }
        defer { PQfreemem(value) }
        return value.map { [UInt8](UnsafeBufferPointer(start: $0, count: count)).hexadecimal }
    }

    /// `PQcmdTuples` counts what was merely read as well.
    private static func affected(_ result: OpaquePointer) -> Int {
        let words = PQcmdStatus(result).map { String(cString: $0).split(separator: " ") } ?? []
        guard let command = words.first, let count = words.last, ["INSERT", "UPDATE", "DELETE", "MERGE"].contains(command) else { return 0 }
        return Int(count) ?? 0
    }

    /// libpq's own words, in one line.
    static func text(_ text: UnsafePointer<CChar>?) -> String {
        let text = text.map { String(cString: $0) } ?? ""
        let lines = text.split(separator: "\n").map { line in String(line.drop { $0 == " " || $0 == "\t" }) }
        return lines.isEmpty ? "the connection was closed" : lines.joined(separator: "; ")
    }
}

extension SQLValue {
    /// As PostgreSQL reads it in a parameter of any type.
    var postgresText: String? {
        switch self {
        case .null: nil
        case .text(let text): text
        case .integer(let number): String(number)
        case .bool(let value): value ? "t" : "f"
        case .bytes(let bytes): bytes.hexadecimal
        }
    }
}

extension [UInt8] {
    /// `\x` and two digits a byte.
    var hexadecimal: String {
        let digits = [UInt8]("0123456789abcdef".utf8)
        var text: [UInt8] = [UInt8]("\\x".utf8)
        text.reserveCapacity(2 + count * 2)
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// True for a bare `ROLLBACK`, which is run for a task that is cancelled as well.
func isRollback(_ sql: String) -> Bool {
    let blanks: Set<Character> = [" ", "\t", "\n", ";"]
    return sql.utf8.count < 64 && sql.filter { !blanks.contains($0) }.lowercased() == "rollback"
}
