public import Model

extension RecordedState {
    /// What a journal amounts to. The journal is the only truth; nothing else is kept that could contradict it.
    public init(replaying records: some Sequence<JournalRecord>) {
        self.init()
        for record in records { apply(record.entry) }
    }

    /// What is remembered once `entry` is written. Applying an entry twice is applying it once.
    public mutating func apply(_ entry: JournalEntry) {
        switch entry {
        case .accepted(let acceptance):
            isKnown = true
            accepted = acceptance.revision
            resolutions.merge(acceptance.resolutions) { $1 }
            for (resource, record) in acceptance.releases { remember(record, of: resource) }
        case .opened(let opened):
            isKnown = true
            accepted = opened.transition.revision
            transition = opened.transition
            resolutions.merge(opened.resolutions) { $1 }
        case .intent(let intent):
            openIntents[intent.resource] = intent
        case .receipt(let receipt):
            if !receipt.configuration.isEmpty {
                configurations[receipt.resource, default: [:]].merge(receipt.configuration) { $1 }
                // The answer has told what was written: nothing is to be learnt from what is observed later, which may be somebody else's.
                if openIntents[receipt.resource]?.id == receipt.intent { openIntents[receipt.resource]?.fingerprint = nil }
            }
            guard receipt.ending.closesIntent, openIntents[receipt.resource]?.id == receipt.intent else { return }
            openIntents[receipt.resource] = nil
        case .reached(let reached):
            remember(reached.record, of: reached.resource)
        case .paid(let payment):
            guard transition?.id == payment.transition else { return }
            transition?.obligations.removeAll { $0 == payment.obligation }
            for (resource, record) in payment.releases { remember(record, of: resource) }
        case .closed(let closing):
            for (resource, record) in closing.releases { remember(record, of: resource) }
            if transition?.id == closing.transition { transition = nil }
        case .fence(let fencing):
            fences[fencing.resource] = fencing.stage == .lowered ? nil : fencing.fence
        case .stop(let stopping):
            stops[stopping.resource] = stopping.stage == .refused ? nil : stopping.stop
        case .drift(let drift):
            drifts[drift.resource] = drift
        case .flag(let record):
            flags[record.flag.name] = record
            drifts[record.flag.id] = nil
        case .forgotten(let forgetting):
            forget(forgetting.resource)
        }
    }

    /// The last record of a resource, if it is of this artifact.
    public func latestRecord(of resource: ResourceID, matching resolution: Resolution) -> ReleaseRecord? {
        guard let last = releases[resource]?.last, last.resolution.isSameArtifact(as: resolution) else { return nil }
        return last
    }

    private mutating func forget(_ resource: ResourceID) {
        if resource.kind == .flag { flags[resource.name] = nil }
        releases[resource] = nil
        resolutions[resource] = nil
        openIntents[resource] = nil
        configurations[resource] = nil
        fences[resource] = nil
        stops[resource] = nil
        drifts[resource] = nil
        transition?.obligations.removeAll { $0 == .check(resource) }
    }

    /// A release that is recorded again replaces its record when nothing else came between.
    private mutating func remember(_ record: ReleaseRecord, of resource: ResourceID) {
        var own = releases[resource] ?? []
        if let last = own.last, last.resolution.isSameArtifact(as: record.resolution) { own.removeLast() }
        own.append(record)
        releases[resource] = own
        drifts[resource] = nil
        stops[resource] = nil
        if let configuration = record.configuration { configurations[resource] = configuration }
        resolutions[resource]?.learn(from: record.resolution)
        transition?.target[resource]?.learn(from: record.resolution)
    }
}

extension Resolution {
    /// The lineage grown by `identities` of the pinned kind, each once.
    ///
    /// Only of that kind: a deployment is one build of its commit, and another build of that commit is not the pinned one.
    public func adding(_ identities: some Sequence<ArtifactIdentity>) -> Resolution {
        var grown = self
        for identity in identities where identity.kind == self.identity.kind && identity != self.identity {
            if !grown.lineage.contains(identity) { grown.lineage.append(identity) }
        }
        return grown
    }

    fileprivate mutating func learn(from other: Resolution) {
        guard isSameArtifact(as: other) else { return }
        self = adding([other.identity] + other.lineage)
    }
}
