/// The records of a journal's bytes, and how far they are whole.
struct JournalText {
    private(set) var records: [JournalRecord] = []
    /// Bytes up to which every line is whole; behind it stands at most a line that was torn while it was being written.
    private(set) var wholeLength = 0

    /// Every line is made durable before the next one is begun: only the last can be torn, and whoever wrote it was not told
    /// that it had been written. Anything else that does not fit is damage.
    init(_ bytes: [UInt8], path: String) throws(StateError) {
        while let end = bytes[wholeLength...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = bytes[wholeLength..<end]
            do throws(JournalRecord.Flaw) {
                records.append(try JournalRecord(line: line, after: records.last))
            } catch {
                // A file system that grew the file before it wrote all of the line leaves zeros, which JSON never holds.
                if end == bytes.count - 1, line.contains(0) { return }
                throw StateError(error, line: records.count + 1, in: path, mending: Self.mending, path: path)
            }
            wholeLength = end + 1
        }
    }

    private static let mending = "restore the file from a backup, or move it away and begin anew from the world as it is with --adopt"
}

extension JournalRecord {
    /// The records of a journal's lines, each without its newline, where no line can be torn.
    /// - Parameters:
    ///   - previous: the record before the first line; nil where that begins the journal.
    ///   - place: what holds the journal, for messages.
    ///   - mending: what to do about damage.
    public static func records(
        of lines: some Sequence<String>, after previous: JournalRecord? = nil, in place: String, mending: String
    ) throws(StateError) -> [JournalRecord] {
        var records: [JournalRecord] = []
        for line in lines {
            do throws(Flaw) {
                records.append(try JournalRecord(line: Array(line.utf8)[...], after: records.last ?? previous))
            } catch {
                throw StateError(error, line: (previous?.sequence ?? 0) + records.count + 1, in: place, mending: mending)
            }
        }
        return records
    }
}

extension StateError {
    fileprivate init(_ flaw: JournalRecord.Flaw, line: Int, in place: String, mending: String, path: String? = nil) {
        switch flaw {
        case .newer(let what):
            self.init(
                .newerVersion, "\(place): line \(line) was written by a newer Belay (\(what)); nothing was changed",
                next: "run the newer Belay, or one that reads it", path: path, line: line)
        case .damaged(let why):
            self.init(
                .damaged, "\(place): line \(line) is damaged: \(why); nothing was changed", next: mending, path: path, line: line)
        }
    }
}
