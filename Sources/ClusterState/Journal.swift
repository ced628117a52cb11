internal import JSONValues
internal import KubernetesAPI
internal import Model
internal import State

/// What the journal of a system amounts to, up to some line.
struct Journal: Sendable {
    var state = RecordedState()
    var last: JournalRecord?

    mutating func append(_ lines: [Head.Line], in place: String) throws(StateError) -> [JournalRecord] {
        let records = try JournalRecord.records(
            of: lines.map(\.text), after: last, in: place,
            mending: "restore it from a backup, or delete it and begin anew from the world as it is with --adopt")
        for record in records { state.apply(record.entry) }
        last = records.last ?? last
        return records
    }
}

/// What of a head is needed to write it.
struct Position: Sendable {
    var version: String
    var chain: String
    var key: String
    var epoch: Int
    var segments: Int
    /// Bytes of the lines in it.
    var size: Int
    var journal: Journal
}

extension StateObjects {
    /// What was written up to this head. A segment is read once in a process: it never changes.
    func position(of head: Head, _ memory: JournalMemory) async throws(StateError) -> Position {
        var sealed = memory.sealed(key, of: head) ?? JournalMemory.Sealed(chain: head.chain, segments: 0, journal: Journal())
        while sealed.segments < head.segments {
            _ = try sealed.journal.append(try await segmentLines(sealed.segments + 1, of: head.chain), in: place)
            sealed.segments += 1
        }
        memory.remember(sealed, of: key, hashKey: head.key)
        var journal = sealed.journal
        _ = try journal.append(head.lines, in: place)
        return Position(
            version: head.version, chain: head.chain, key: head.key, epoch: head.epoch, segments: head.segments,
            size: head.lines.reduce(0) { $0 + $1.text.utf8.count }, journal: journal)
    }

    /// The whole journal; one request for each segment.
    func records(of head: Head) async throws(StateError) -> [JournalRecord] {
        var journal = Journal()
        var records: [JournalRecord] = []
        for number in 0..<head.segments {
            records += try journal.append(try await segmentLines(number + 1, of: head.chain), in: place)
        }
        return records + (try journal.append(head.lines, in: place))
    }

    func segmentLines(_ number: Int, of chain: String) async throws(StateError) -> [Head.Line] {
        let found: JSON?
        do throws(KubernetesError) { found = try await segment(number, of: chain) } catch {
            throw StateError(error, "cannot be read", self)
        }
        guard let found, found["system"]?.string == system else {
            throw StateError(
                .damaged, "the \(place) has \(number) segments or more, and systemstate \(segmentName(number, of: chain)) is not there",
                next: "restore it from a backup, or delete the \(place) and begin anew from the world as it is with --adopt")
        }
        return Head.lines(of: found)
    }

    /// Nil when nothing was ever written.
    func readHead() async throws(StateError) -> Head? {
        let object: JSON?
        do throws(KubernetesError) { object = try await head() } catch { throw StateError(error, "cannot be read", self) }
        guard let object else { return nil }
        return try Head(object, of: self)
    }
}
