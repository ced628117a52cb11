internal import Crypto
internal import FoundationEssentials
internal import JSONValues
public import Model

/// One line of a journal: an entry, its place in the chain, and when it was written.
///
/// The line is JSON. Its hash is the SHA-256 of the line's bytes before `,"hash"`, and its `prev` the hash of the line before:
/// `sed 's/,"hash":"[0-9a-f]*"}$//' | tr -d '\n' | sha256sum` checks a line by hand.
public struct JournalRecord: Sendable, Hashable {
    /// Counted from 1.
    public var sequence: Int
    public var time: Timestamp
    public var entry: JournalEntry
    /// Hexadecimal.
    public var previousHash: String
    public var hash: String

    /// The newest form of a line that this code reads, and the one that it writes.
    public static let version = 1
    static let noHash = String(repeating: "0", count: 64)
}

extension JournalRecord {
    /// The record behind `previous`, with the bytes of its line, the newline included.
    public static func line(
        _ entry: JournalEntry, at time: Timestamp, after previous: JournalRecord?
    ) throws(StateError) -> (record: JournalRecord, bytes: [UInt8]) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let own: Data
        do {
            own = try encoder.encode(entry)
        } catch {
            throw StateError(.failed, "an entry of kind \(entry.kind.rawValue) cannot be written as JSON: \(error)")
        }
        let sequence = (previous?.sequence ?? 0) + 1
        let previousHash = previous?.hash ?? noHash
        let envelope =
            #"{"v":\#(version),"seq":\#(sequence),"prev":"\#(previousHash)","time":"\#(time)","kind":"\#(entry.kind.rawValue)","#
        let hashed = Array(envelope.utf8) + own.dropFirst().dropLast()
        let hash = hash(of: hashed)
        let record = JournalRecord(sequence: sequence, time: time, entry: entry, previousHash: previousHash, hash: hash)
        return (record, hashed + Array(#","hash":"\#(hash)"}"#.utf8) + [UInt8(ascii: "\n")])
    }

    /// Why a line is no record.
    enum Flaw: Error {
        case damaged(String)
        case newer(String)
    }

    /// - Parameter line: without its newline.
    init(line: ArraySlice<UInt8>, after previous: JournalRecord?) throws(Flaw) {
        let json = try? JSON(parsing: Array(line))  // Below it is said what a failure means.
        let version = json?["v"]?.integer
        let tail = 75  // ,"hash":"…"}
        let hash = line.count > tail ? Self.hash(of: line.dropLast(tail)) : ""
        guard line.count > tail, line.suffix(tail).elementsEqual(#","hash":"\#(hash)"}"#.utf8) else {
            // A later version may chain its lines in another way.
            if let version, version > Self.version { throw .newer("version \(version)") }
            throw .damaged("its hash does not fit its text")
        }
        guard let json, let version else { throw .damaged("it has no version") }
        guard version <= Self.version else { throw .newer("version \(version)") }
        do throws(JournalMismatch) {
            sequence = try json.member("seq")
            previousHash = try json.member("prev")
            time = try json.member("time")
        } catch {
            throw .damaged("it is not an entry of a journal")
        }
        guard previousHash == previous?.hash ?? Self.noHash, sequence == (previous?.sequence ?? 0) + 1 else {
            throw .damaged("it does not follow the line before it")
        }
        guard let name = json["kind"]?.string else { throw .damaged("it is not an entry of a journal") }
        guard let kind = JournalEntry.Kind(rawValue: name) else { throw .newer("an entry of kind \(name)") }
        do throws(JournalMismatch) {
            guard let own = json[name] else { throw JournalMismatch() }
            entry = try JournalEntry(kind, journal: own)
        } catch {
            throw .damaged("its \(name) cannot be read")
        }
        self.hash = hash
    }

    static func hash(of bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let digest = SHA256.hash(data: Array(bytes))
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
