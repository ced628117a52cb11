internal import KubernetesAPI
internal import Model
internal import State

/// What one process knows of a Lease, and what it does about it.
struct Candidacy: Sendable {
    let identity: String
    let timing: LeaseTiming
    private var seen: LeaseRecord?
    private var version = ""
    /// When this process saw the record first as it is, by its own clock.
    private var seenAt: Duration = .zero
    /// Before which moment the last renewal that succeeded was certainly sent.
    private var renewedAt: Duration = .zero
    private(set) var isLeader = false
    /// What was written since, and before which moment that was certainly sent: answers may be lost.
    private var sent: [(renewed: String, at: Duration)] = []

    init(identity: String, timing: LeaseTiming) {
        self.identity = identity
        self.timing = timing
    }

    /// Until when it leads without another renewal.
    var deadline: Duration { renewedAt + timing.renewal }

    var leader: String? { isLeader ? identity : seen?.holder.flatMap { $0 == identity ? nil : $0 } }
    var transitions: Int { seen?.transitions ?? 0 }

    /// Takes the lease, renews it or looks at it. Returns why that could not be done.
    mutating func attempt(_ object: LeaseObject, _ watch: Stopwatch, _ now: () -> Timestamp) async -> Problem? {
        let start = watch.elapsed
        let limit = isLeader ? min(deadline - start, timing.renewal / 2) : timing.renewal / 2
        var problem: Problem?
        do throws(KubernetesError) {
            try await step(object, start, watch, limit, now)
        } catch {
            if error.code == .conflict {
                // Somebody else was faster; what they wrote is looked at next.
                version = ""
            } else {
                problem = Problem(
                    "LeaseUnusable", "lease \(object.name) in namespace \(object.namespace): \(error.message)", next: error.next)
            }
        }
        if isLeader, watch.elapsed >= deadline { isLeader = false }
        return problem
    }

    private mutating func step(
        _ object: LeaseObject, _ start: Duration, _ watch: Stopwatch, _ limit: Duration, _ now: () -> Timestamp
    ) async throws(KubernetesError) {
        let time = now().microTime
        // The one who has it need not read it.
        if isLeader, !version.isEmpty, var record = seen {
            record.renewed = time
            record.duration = timing.lease
            sent.append((time, start))
            do throws(KubernetesError) {
                version = try await object.write(record, from: version, within: limit)
                have(record, start)
                return
            } catch {
                // Somebody else wrote it, or this process did and was not told.
                guard error.code == .conflict else { throw error }
            }
        }
        guard let present = try await object.read(within: limit) else {
            isLeader = false
            let record = LeaseRecord(holder: identity, duration: timing.lease, acquired: time, renewed: time, transitions: 0)
            sent.append((time, start))
            version = try await object.create(record, within: limit)
            have(record, start)
            return
        }
        if present.record != seen {
            seen = present.record
            seenAt = watch.elapsed
        }
        version = present.version
        // A write whose answer was lost counts from when it was sent.
        if present.record.holder == identity, let own = sent.last(where: { $0.renewed == present.record.renewed }) {
            have(present.record, own.at)
        }
        if let holder = present.record.holder, holder != identity {
            isLeader = false
            guard watch.elapsed - seenAt >= present.record.duration else { return }
        }
        var record = present.record
        if record.holder != identity {
            record.transitions += 1
            record.acquired = time
        }
        record.holder = identity
        record.duration = timing.lease
        record.renewed = time
        let begun = watch.elapsed
        sent.append((time, begun))
        version = try await object.write(record, from: version, within: limit)
        have(record, begun)
    }

    private mutating func have(_ record: LeaseRecord, _ start: Duration) {
        seen = record
        seenAt = start
        renewedAt = start
        sent = []
        isLeader = true
    }

    /// Also for a task that is cancelled. What cannot be given back ends by itself.
    mutating func giveBack(_ object: LeaseObject, _ now: () -> Timestamp) async {
        guard isLeader, var record = seen else { return }
        isLeader = false
        record.holder = nil
        record.duration = .seconds(1)
        record.renewed = now().microTime
        let (given, known, limit) = (record, version, timing.renewal / 2)
        let written = await Task { () -> Bool in
            do throws(KubernetesError) {
                _ = try await object.write(given, from: known, within: limit)
                return true
            } catch {
                return false
            }
        }.value
        if written { seen = record }
    }
}
