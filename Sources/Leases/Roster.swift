internal import JSONValues
internal import KubernetesAPI
internal import Model
internal import State

/// What one replica knows of the Leases of all of them.
struct Roster: Sendable {
    let identity: String
    let timing: LeaseTiming

    private struct Sighting: Sendable {
        var record: LeaseRecord
        var version: String
        /// When this process saw the record first as it is, by its own clock.
        var since: Duration
    }

    /// By the name of the Lease.
    private var sightings: [String: Sighting] = [:]
    private var own: (record: LeaseRecord, version: String)?
    private var renewedAt: Duration?

    init(identity: String, timing: LeaseTiming) {
        self.identity = identity
        self.timing = timing
    }

    /// True as long as the others certainly count this replica as alive.
    func isMember(at now: Duration) -> Bool { renewedAt.map { now < $0 + timing.renewal } ?? false }

    func members(at now: Duration) -> [String] {
        var members = Set(sightings.values.filter { isAlive($0, now) }.compactMap(\.record.holder))
        if isMember(at: now) { members.insert(identity) } else { members.remove(identity) }
        return members.sorted()
    }

    private func isAlive(_ sighting: Sighting, _ now: Duration) -> Bool { now - sighting.since < sighting.record.duration }

    /// Shows that this replica lives, and looks at the others. Returns why that could not be done.
    mutating func beat(_ object: LeaseObject, _ watch: Stopwatch, _ now: () -> Timestamp) async -> Problem? {
        do throws(KubernetesError) {
            try await renew(object, watch, now)
            try await look(object, watch)
            return nil
        } catch {
            if error.code == .conflict || error.code == .notFound { own = nil }
            return Problem("LeaseUnusable", "leases in namespace \(object.namespace): \(error.message)", next: error.next)
        }
    }

    private mutating func renew(_ object: LeaseObject, _ watch: Stopwatch, _ now: () -> Timestamp) async throws(KubernetesError) {
        let time = now().microTime
        let limit = timing.renewal / 2
        if own == nil { own = try await object.read(within: limit) }
        let start = watch.elapsed
        var record = own?.record ?? LeaseRecord(holder: identity, duration: timing.lease, acquired: time, renewed: time, transitions: 0)
        if renewedAt == nil { record.acquired = time }
        record.holder = identity
        record.duration = timing.lease
        record.renewed = time
        let version: String
        if let own {
            version = try await object.write(record, from: own.version, within: limit)
        } else {
            version = try await object.create(record, within: limit)
        }
        own = (record, version)
        renewedAt = start
    }

    private mutating func look(_ object: LeaseObject, _ watch: Stopwatch) async throws(KubernetesError) {
        var client = object.client
        client.deadline = timing.renewal / 2
        let list = try await client.list(
            .leases, namespace: object.namespace, labelSelector: object.labels.map { "\($0)=\($1)" }.joined(separator: ","))
        let now = watch.elapsed
        var seen: [String: Sighting] = [:]
        for item in list.items {
            guard let name = item["metadata"]?["name"]?.string, let version = item["metadata"]?["resourceVersion"]?.string else { continue }
            let record = LeaseRecord(item)
            let before = sightings[name]
            seen[name] = Sighting(record: record, version: version, since: before?.record == record ? before?.since ?? now : now)
        }
        sightings = seen
        for (name, sighting) in seen where name != object.name && now - sighting.since >= sighting.record.duration * 20 {
            await remove(name, sighting.version, object)
        }
    }

    /// One that has been dead for long, if it is still as it was.
    private mutating func remove(_ name: String, _ version: String, _ object: LeaseObject) async {
        do throws(KubernetesError) {
            try await object.client.delete(.leases, namespace: object.namespace, name: name, resourceVersion: version)
            sightings[name] = nil
        } catch {
            // Another replica does it, or nobody may; it counts as dead in any case.
        }
    }

    /// Also for a task that is cancelled. What cannot be taken away ends by itself.
    mutating func leave(_ object: LeaseObject) async {
        guard let own else { return }
        self.own = nil
        renewedAt = nil
        await Task {
            do throws(KubernetesError) {
                try await object.client.delete(.leases, namespace: object.namespace, name: object.name, resourceVersion: own.version)
            } catch {}  // It ends by itself.
        }.value
    }
}
