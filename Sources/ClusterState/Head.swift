internal import JSONValues
internal import Model
internal import State

/// The head of a system's state, as one read saw it.
struct Head: Sendable {
    /// A line of the journal, without its newline.
    struct Line: Sendable {
        /// Its number, of ten digits, so that it sorts.
        var key: String
        var text: String
    }

    var version: String
    /// Made with the object, and part of the names of its segments: those of an object that was deleted are not those of the next one.
    var chain: String
    /// Of keyed hashes, hexadecimal.
    var key: String
    /// Counts those who had the lock.
    var epoch: Int
    var hold: Hold?
    /// How many segments there are.
    var segments: Int
    /// Behind the segments.
    var lines: [Line]

    init(_ object: JSON, of objects: StateObjects) throws(StateError) {
        func damaged(_ what: String) -> StateError {
            StateError(
                .damaged, "the \(objects.place) \(what); nothing was changed",
                next: "restore it from a backup, or delete it and begin anew from the world as it is with --adopt")
        }
        guard object["system"]?.string == objects.system else {
            throw damaged("is that of \(object["system"]?.string ?? "no system"), not of \(objects.system)")
        }
        guard let version = object["metadata"]?["resourceVersion"]?.string, let chain = object["chain"]?.string,
            let key = object["key"]?.string
        else { throw damaged("lacks its chain or its key") }
        self.version = version
        self.chain = chain
        self.key = key
        epoch = object["epoch"]?.integer ?? 0
        hold = object["lock"].flatMap { Hold($0) }
        segments = object["segments"]?.integer ?? 0
        lines = Self.lines(of: object)
    }

    /// What a new one begins with.
    static func members(chain: String, key: String, hold: Hold?) -> JSON {
        var members: JSON = ["chain": .string(chain), "key": .string(key), "epoch": .integer(hold == nil ? 0 : 1), "segments": 0]
        if let hold { members["lock"] = hold.json }
        return members
    }

    static func lines(of object: JSON) -> [Line] {
        (object["journal"]?.object?.members ?? []).compactMap { key, value in value.string.map { Line(key: key, text: $0) } }
            .sorted { $0.key < $1.key }
    }

    static func journal(_ lines: [Line]) -> JSON { .object(JSONObject(lines.map { ($0.key, .string($0.text)) })) }

    static func key(of sequence: Int) -> String {
        let digits = String(sequence)
        return String(repeating: "0", count: max(0, 10 - digits.count)) + digits
    }

    /// True if the journal ends with this record.
    func ends(with record: JournalRecord?) -> Bool {
        guard let record else { return lines.isEmpty && segments == 0 }
        return lines.last.map { $0.key == Self.key(of: record.sequence) && $0.text.hasSuffix("\"\(record.hash)\"}") } ?? false
    }
}

/// The lock of a system as its head says it.
struct Hold: Sendable, Hashable {
    /// Of this one hold; nobody else ever has it.
    var id: String
    /// Counts the signs that its holder has shown.
    var beat: Int
    var lease: Duration
    /// Nil for one that another Belay wrote.
    var holder: LockHolder?

    init(id: String, lease: Duration, holder: LockHolder) {
        self.id = id
        beat = 0
        self.lease = lease
        self.holder = holder
    }

    init?(_ json: JSON) {
        guard let id = json["id"]?.string, let beat = json["beat"]?.integer, let lease = json["leaseMilliseconds"]?.integer else {
            return nil
        }
        self.id = id
        self.beat = beat
        // Whatever stands there, it ends some day.
        self.lease = .milliseconds(min(max(lease, 100), 600_000))
        holder = json["holder"].flatMap { LockHolder($0) }
    }

    var json: JSON {
        [
            "id": .string(id), "beat": .integer(beat), "leaseMilliseconds": .integer(Int(lease / .milliseconds(1))),
            "holder": holder?.json ?? .null,
        ]
    }

    /// 26 letters and digits at random.
    static func newID() -> String { (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined() }
}

extension LockHolder {
    fileprivate init?(_ json: JSON) {
        guard let user = json["user"]?.string, let host = json["host"]?.string, let boot = json["boot"]?.string,
            let pid = json["pid"]?.integer, let command = json["command"]?.string, let since = json["since"]?.string.flatMap(Timestamp.init)
        else { return nil }
        self.init(user: user, host: host, boot: boot, pid: pid, command: command, since: since)
    }

    fileprivate var json: JSON {
        [
            "user": .string(user), "host": .string(host), "boot": .string(boot), "pid": .integer(pid), "command": .string(command),
            "since": .string(since.description),
        ]
    }
}
