import Model

/// Since when a variable has had which value, by Render's clock, as far as Belay has seen or set it.
///
/// Render tells no time of a variable, and a rollback brings back the values of then. So the marks that are recorded with the settings tell
/// it: with them the value that a past deploy had is known, without the value itself.
struct ValueHistory: Sendable, Hashable {
    struct Entry: Sendable, Hashable {
        /// The beginning of the value's fingerprint.
        var fingerprint: String
        var since: Timestamp
        /// True if Belay set it then; false if it found it so, and it may have been so before.
        var isSet: Bool
    }

    /// The oldest first.
    private(set) var entries: [Entry] = []

    private static let most = 8
    private static func short(_ fingerprint: String) -> String { String(fingerprint.prefix(16)) }

    /// Empty for nil, and for what is no such text.
    init(_ marker: String?) {
        for item in (marker ?? "").split(separator: ";") {
            let halves = item.dropFirst().split(separator: "@", maxSplits: 1)
            guard halves.count == 2, let since = Timestamp(String(halves[1])) else {
                entries = []
                return
            }
            entries.append(Entry(fingerprint: String(halves[0]), since: since, isSet: item.first == "="))
        }
    }

    /// `~` found so, `=` set so.
    var text: String {
        entries.map { "\($0.isSet ? "=" : "~")\($0.fingerprint)@\($0.since)" }.joined(separator: ";")
    }

    /// With a value that it has from then on; unchanged when it is the last one already.
    func adding(_ fingerprint: String, since: Timestamp, isSet: Bool) -> ValueHistory {
        var history = self
        if let last = entries.last, last.fingerprint == Self.short(fingerprint), !isSet { return self }
        history.entries.append(Entry(fingerprint: Self.short(fingerprint), since: since, isSet: isSet))
        history.entries.removeFirst(max(0, history.entries.count - Self.most))
        return history
    }

    /// With the last value in force at that time at the latest: a deploy of that time is known to have it.
    func inForce(by time: Timestamp) -> ValueHistory {
        var history = self
        guard let last = entries.last, last.since > time else { return self }
        history.entries.removeLast()
        history.entries.removeAll { $0.since > time }
        history.entries.append(Entry(fingerprint: last.fingerprint, since: time, isSet: last.isSet))
        return history
    }

    /// Whether the value was this one at that time; nil when that is not known.
    ///
    /// A value that was only found so may have been there before it was found: between it and the one before, nothing is known.
    func wasValue(_ fingerprint: String, at time: Timestamp) -> Bool? {
        guard let index = entries.lastIndex(where: { $0.since <= time }) else { return nil }
        if entries.indices.contains(index + 1), !entries[index + 1].isSet { return nil }
        return entries[index].fingerprint == Self.short(fingerprint)
    }

    /// Whether the first value that is known is this one.
    func began(with fingerprint: String) -> Bool { entries.first?.fingerprint == Self.short(fingerprint) }
}
