/// The secrets of an app: names and digests only, for no value is ever read.
struct FlySecrets: Sendable {
    struct Secret: Sendable {
        var name: String
        var digest: String
        var createdAt: Int64
        var updatedAt: Int64
    }

    private struct Set: Sendable {
        var version: Int
        var at: Int64
        var digests: [String: String]
    }

    private(set) var all: [Secret] = []
    private(set) var version = 0
    private var history: [Set] = []

    /// Sets what has a value and removes what has none.
    mutating func change(_ values: [(name: String, value: String?)], at now: Int64) {
        for (name, value) in values {
            let index = all.firstIndex { $0.name == name }
            switch (index, value) {
            case (let index?, let value?):
                all[index].digest = FlyIdentifiers.secretDigest(name, value)
                all[index].updatedAt = now
            case (nil, let value?):
                all.append(Secret(name: name, digest: FlyIdentifiers.secretDigest(name, value), createdAt: now, updatedAt: now))
            case (let index?, nil): all.remove(at: index)
            case (nil, nil): break
            }
        }
        version += 1
        let digests = Dictionary(all.map { ($0.name, $0.digest) }) { $1 }
        history.append(Set(version: version, at: now, digests: digests))
    }

    /// What a machine that boots now is given, by name.
    ///
    /// - Parameters:
    ///   - least: the version that the machine asked for.
    ///   - delay: how long a change takes to reach machines that did not ask for it.
    func digests(at now: Int64, least: Int, delay: Int64) -> [String: String] {
        history.last { $0.version <= least || $0.at + delay <= now }?.digests ?? [:]
    }
}
