import Model
import Planning
import Sources

extension LoopCourse {
    mutating func read(_ result: Result<Holding, SourceError>, at now: Duration) {
        switch result {
        case .failure(let error):
            for origin in origins.keys { origins[origin]?.fail(error) }
            guard failure != error.message else { return }
            failure = error.message
            events(.unreadable(error, watched: wanted.keys.sorted(), origin: ""))
        case .success(let holding):
            failure = nil
            tell(holding)
            let present = Set(holding.parts.map(\.origin))
            for origin in origins.keys.sorted() where !present.contains(origin) {
                leave(origins.removeValue(forKey: origin)?.systems ?? [])
            }
            for part in holding.parts { take(part, at: now) }
            // What somebody else had may have become free.
            for part in holding.parts where origins[part.origin]?.isContested ?? false { take(part, at: now) }
        }
    }

    private mutating func tell(_ holding: Holding) {
        let before = troubles
        troubles = holding.troubles.map(\.message)
        for trouble in holding.troubles where !before.contains(trouble.message) { events(.outOfReach(trouble)) }
        guard troubles.isEmpty, !before.isEmpty else { return }
        events(.inReach(holding.parts.count == 1 ? holding.parts.first?.revision : nil))
    }

    private func tell(_ event: LoopEvent, of standing: inout OriginStanding, and systems: [SystemID] = []) {
        standing.note(event, of: systems, isOwn: isOwn)
        events(event)
    }

    private mutating func take(_ part: Holding.Part, at now: Duration) {
        var standing = origins[part.origin] ?? OriginStanding()
        defer { origins[part.origin] = standing }
        standing.system = part.system
        switch part.result {
        case .failure(let error):
            guard standing.fail(error) else { return }
            recall(part, &standing, at: now)
            let watched = standing.systems.sorted()
            if let revision = error.revision {
                tell(.rejected(revision, mistakes: [error.message], watched: watched, origin: part.origin), of: &standing)
            } else {
                tell(.unreadable(error, watched: watched, origin: part.origin), of: &standing)
            }
        case .success(let snapshot):
            guard standing.isNews(snapshot) || standing.isContested else { return }
            let loading = loop.load(snapshot)
            var mistakes = loading.mistakes
            standing.isContested = false
            // What is let go of claims nothing.
            if mistakes.isEmpty, snapshot.leaving == nil {
                mistakes = loading.systems.flatMap { contests(of: $0, from: part.origin, besides: standing.systems) }
                standing.isContested = !mistakes.isEmpty
            }
            guard mistakes.isEmpty else {
                if standing.reject(mistakes) {
                    recall(part, &standing, at: now)
                    let watched = standing.systems.sorted()
                    tell(.rejected(snapshot.revision, mistakes: mistakes, watched: watched, origin: part.origin), of: &standing)
                }
                return
            }
            let systems = loading.systems.map(\.id).sorted()
            let unmoved = want(loading, snapshot, from: part.origin, wasLooking: !standing.applies, at: now)
            if !unmoved.isEmpty { events(.unmoved(snapshot.revision, unmoved.sorted())) }
            tell(.loaded(snapshot.revision, systems, notes: snapshot.notes + loading.notes), of: &standing, and: systems)
            let names = Set(loading.systems.map(\.id))
            leave(standing.systems.subtracting(names))
            standing.accept(names)
            accepted.append(snapshot)
        }
    }

    /// Looks at what loaded before this process began, where nothing did since.
    private mutating func recall(_ part: Holding.Part, _ standing: inout OriginStanding, at now: Duration) {
        guard standing.systems.isEmpty, let before = part.lastGood else { return }
        let loading = loop.load(before)
        guard loading.mistakes.isEmpty,
            loading.systems.allSatisfy({ contests(of: $0, from: part.origin, besides: []).isEmpty })
        else { return }
        want(loading, before, from: part.origin, wasLooking: true, at: now)
        standing.recall(Set(loading.systems.map(\.id)))
    }

    /// What of a system another part of the source has already, in words.
    private func contests(of system: System, from origin: String, besides others: Set<SystemID>) -> [String] {
        if let before = wanted[system.id], before.origin != origin { return ["a system \(system.id) stands already at \(before.origin)"] }
        return claims.contests(of: system, besides: others)
    }

    /// Gives those of which the snapshot says what was wanted before, and which are not looked at for it.
    @discardableResult
    private mutating func want(
        _ loading: Loading, _ snapshot: Snapshot, from origin: String, wasLooking: Bool, at now: Duration
    ) -> [SystemID] {
        var unmoved: [SystemID] = []
        for system in loading.systems {
            let new = WantedSystem(system: system, snapshot: snapshot, origin: origin)
            let before = wanted.updateValue(new, forKey: system.id)
            if snapshot.leaving == nil { claims.enter(system) }
            let isSame =
                before.map {
                    new.isSame(as: $0) && new.snapshot.adopts == $0.snapshot.adopts && new.snapshot.leaving == $0.snapshot.leaving
                } ?? false
            // The rest of the revision may hold what a system waited for: a migration, for instance.
            if isOwn(system.id) { own.insert(system.id) }
            // Other commits with the same migrations change nothing, and are shown all the same.
            let isTold = before.map(new.tellsSame) ?? false
            guard !isSame || !isTold || wasLooking || told[system.id]?.verdict != .inSync else {
                unmoved.append(system.id)
                continue
            }
            if !isSame {
                running[system.id]?.raise()
                rhythms[system.id] = nil
            }
            queue.add(system.id, .change, at: now)
        }
        return unmoved
    }

    private mutating func leave(_ systems: Set<SystemID>) {
        for system in systems.sorted() {
            wanted[system] = nil
            own.remove(system)
            claims.remove(system)
            queue.forget(system)
            running[system]?.raise()
            told[system] = nil
            rhythms[system] = nil
            begun[system] = nil
            events(.left(system))
        }
    }
}

extension Holding.Part {
    /// Of what was read; nil where nothing was.
    fileprivate var revision: Revision? {
        guard case .success(let snapshot) = result else { return nil }
        return snapshot.revision
    }
}
