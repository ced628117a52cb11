internal import Model
internal import SQL
import Subprocess
import SystemPackage

/// A session that `psql` holds: it can do what a library cannot, read a whole script with its data, inside a transaction that is looked at
/// before it is committed. The program ends at the first error, and what was not committed is rolled back.
actor PsqlSession: SQLConnection {
    nonisolated let engine = SQLEngine.postgres
    private let input: StandardInputWriter
    private var output: SubprocessOutputSequence.Iterator
    private var buffered: [UInt8] = []
    private var count = 0
    private static let null = "\u{1}null\u{1}"

    init(_ input: StandardInputWriter, _ output: SubprocessOutputSequence) {
        self.input = input
        self.output = output.makeAsyncIterator()
    }

    static let arguments = ["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--file=-"]

    var transaction: SQLTransactionState { .unknown }

    func begin() async throws(SQLError) {
        try await send("\\pset format csv\n\\pset null '\(Self.null)'\n\\pset footer off\nBEGIN;\n")
    }

    func query(_ sql: String, _ parameters: [SQLValue]) async throws(SQLError) -> SQLRows {
        let text = try await answer(to: Self.substituting(parameters, in: sql) + "\n;\n")
        var records = Self.records(text)
        guard !records.isEmpty else { return SQLRows() }
        let columns = records.removeFirst().map { $0 ?? "" }
        return SQLRows(columns: columns, rows: records)
    }

    func execute(_ script: String) async throws(SQLError) { _ = try await answer(to: script + "\n;\n") }

    /// Runs a file as `psql` does, its own commands included.
    func run(file: String) async throws(SQLError) {
        _ = try await answer(to: "\\o /dev/null\n\\i '\(file.replacing("'", with: "''"))'\n\\o\n")
    }

    func close() async {}

    private func answer(to command: String) async throws(SQLError) -> [UInt8] {
        count += 1
        let mark = "\u{2}belay \(count)\u{2}\n"
        try await send("\(command)\\echo '\(mark.dropLast())'\n")
        let end = Array(mark.utf8)
        while true {
            if buffered.count >= end.count, buffered.suffix(end.count) == end[...] {
                defer { buffered = [] }
                return Array(buffered.dropLast(end.count))
            }
            var reading = output
            let chunk: SubprocessOutputSequence.Buffer?
            do { chunk = try await reading.next(isolation: self) } catch {
                throw SQLError(.lost, "psql cannot be read from any more")
            }
            output = reading
            // Its own message stands in what it wrote to standard error.
            guard let chunk else { throw SQLError(.lost, "psql ended") }
            buffered += chunk.withUnsafeBytes { Array($0) }
        }
    }

    private func send(_ text: String) async throws(SQLError) {
        do { _ = try await input.write(Array(text.utf8)) } catch { throw SQLError(.lost, "psql takes no more commands") }
    }

    /// The statement with its parameters written out: `psql` 15 has none.
    private static func substituting(_ parameters: [SQLValue], in sql: String) -> String {
        parameters.indices.reversed().reduce(sql) { sql, index in
            sql.replacing("$\(index + 1)", with: SQLLiteral.quoted(parameters[index], for: .postgres))
        }
    }

    /// Records of CSV as `psql` writes it: fields in quotation marks where they need them.
    private static func records(_ bytes: [UInt8]) -> [[String?]] {
        var records: [[String?]] = []
        var record: [String?] = []
        var field: [UInt8] = []
        var isQuoted = false
        func end() {
            let text = String(decoding: field, as: UTF8.self)
            record.append(text == null ? nil : text)
            field = []
        }
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""):
                // The second of two inside of a field is a mark of its own.
                if !isQuoted, field.last == 0 { field[field.count - 1] = byte } else if isQuoted { field.append(0) }
                isQuoted.toggle()
            case UInt8(ascii: ",") where !isQuoted, UInt8(ascii: "\n") where !isQuoted:
                field.removeAll { $0 == 0 }
                end()
                guard byte == UInt8(ascii: "\n") else { continue }
                records.append(record)
                record = []
            default: field.append(byte)
            }
        }
        return records
    }
}
