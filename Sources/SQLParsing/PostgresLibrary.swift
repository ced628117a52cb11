import CPgQuery

/// libpg_query, PostgreSQL's own scanner and parser. Its functions may be called from any thread.
///
/// Measured with version 15-4.0.0: splitting needs less than 512 KB of stack whatever the script, because the grammar keeps its own stack on
/// the heap and gives up at 10 000 levels; writing a parse tree needs up to 640 bytes a level, and nothing limits the levels of `1 + 1 + 1 …`.
enum PostgresLibrary {
    struct Failure: Error {
        var message: String
        /// In Unicode scalars, counted from 1; 0 where it is not known.
        var position: Int
    }

    /// Where the statements of a script stand, in bytes, with the blanks and comments around them.
    static func split(_ script: ScriptBytes) throws(Failure) -> [Range<Int>] {
        let result = script.bytes.withUnsafeBytes { pg_query_split_with_parser($0.assumingMemoryBound(to: CChar.self).baseAddress) }
        defer { pg_query_free_split_result(result) }
        if let error = result.error { throw Failure(error) }
        return (0..<Int(result.n_stmts)).compactMap { index in
            guard let found = result.stmts[index]?.pointee else { return nil }
            let start = Int(found.stmt_location)
            return start..<start + Int(found.stmt_len)
        }
    }

    /// The parse tree as JSON. Needs a stack that fits the script: see ``LargeStack``.
    static func tree(_ script: ScriptBytes) throws(Failure) -> [UInt8] {
        let result = script.bytes.withUnsafeBytes { pg_query_parse($0.assumingMemoryBound(to: CChar.self).baseAddress) }
        defer { pg_query_free_parse_result(result) }
        if let error = result.error { throw Failure(error) }
        guard let tree = result.parse_tree else { throw Failure(message: "no parse tree", position: 0) }
        return Array(String(cString: tree).utf8)
    }

    /// The tokens without comments.
    static func tokens(_ script: ScriptBytes) throws(Failure) -> [SQLToken] {
        let result = script.bytes.withUnsafeBytes { pg_query_scan($0.assumingMemoryBound(to: CChar.self).baseAddress) }
        defer { pg_query_free_scan_result(result) }
        if let error = result.error { throw Failure(error) }
        guard let data = result.pbuf.data else { return [] }
        return ScanMessage(UnsafeRawBufferPointer(start: data, count: result.pbuf.len)).tokens(of: script)
    }
}

extension PostgresLibrary.Failure {
    fileprivate init(_ error: UnsafeMutablePointer<PgQueryError>) {
        message = error.pointee.message.map { String(cString: $0) } ?? "unreadable"
        position = Int(error.pointee.cursorpos)
    }
}
