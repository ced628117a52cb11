public import Model
public import State

/// What is to be recorded of a plan with nothing to do: the baseline at first contact, a newer revision later. Nil when it is known.
///
/// Only for a plan that ``Plan/isInSync``; any other is accepted by the transition that it opens.
public func acceptance(
    of plan: Plan, for system: System, in world: World = World(), recorded: RecordedState, at time: Timestamp
) -> JournalEntry? {
    guard plan.isInSync else { return nil }
    let news = plan.resolutions.filter { recorded.resolutions[$0.key] != $0.value }
    var releases: [ResourceID: ReleaseRecord] = [:]
    let named = Dictionary(
        system.components.filter { !$0.configuration.sources.isEmpty }.map { ($0.id, Set($0.configuration.sources.keys)) }
    ) { first, _ in first }
    for (resource, record) in releaseRecords(of: system, plan, recorded, at: time) {
        let known = recorded.latestRecord(of: resource, matching: record.resolution)
        let observation = world.components[resource]
        let settings = observation?.configuration?.recorded(recorded.configurations[resource] ?? [:], running: named[resource] ?? [])
        // Somebody has brought back what had drifted: with its release recorded, the next drift is told again.
        let isBack = recorded.drifts[resource] != nil
        // What was recorded with the release stays, whatever became of the settings since.
        guard known?.requires != record.requires || known?.configuration == nil && settings != nil || isBack else { continue }
        releases[resource] = record
        releases[resource]?.configuration = known?.configuration ?? settings
        releases[resource]?.deployment = known?.deployment ?? observation?.live.declared?.id
        // The release came when it came, whatever is said of it since.
        if let known { releases[resource]?.reached = known.reached }
    }
    guard !recorded.isKnown || recorded.accepted != plan.revision || !news.isEmpty || !releases.isEmpty else { return nil }
    return .accepted(.init(revision: plan.revision, resolutions: plan.resolutions, releases: releases))
}

/// What is to be recorded of the flags that are set as the spec asks for, where that is not known yet: with it, what somebody does by hand
/// later can be told.
public func flagBaselines(of plan: Plan, for system: System, recorded: RecordedState) -> [JournalEntry] {
    let standings = Dictionary(plan.flags.map { ($0.name, $0) }) { first, _ in first }
    return (system.flags?.flags ?? []).compactMap { flag in
        guard let standing = standings[flag.name], standing.isInPlace else { return nil }
        let known = recorded.flags[flag.name]
        var record = FlagRecord(flag: flag, setting: standing.desired)
        // Why it was killed stays known for as long as it is.
        if standing.state == .killed, let known, !known.setting.isOn { record.reason = known.reason }
        return record == known && recorded.drifts[flag.id] == nil ? nil : .flag(record)
    }
}

/// What is to be recorded of a pass that put every pin in place, and whose revision no transition has accepted: it only waited, or it ended
/// what an older revision began. Nil when the revision is known, and after a pass that did not converge.
public func acceptance(of plan: Plan, after result: PassResult) -> JournalEntry? {
    let state = result.state
    guard result.verdict == .converged, state.transition == nil, state.accepted != plan.revision else { return nil }
    let resolutions = plan.resolutions.map { resource, resolution -> (ResourceID, Resolution) in
        let known = [state.resolutions[resource], state.latestRecord(of: resource, matching: resolution)?.resolution]
            .compactMap(\.self).filter { $0.isSameArtifact(as: resolution) }.flatMap { [$0.identity] + $0.lineage }
        return (resource, resolution.adding(known))
    }
    return .accepted(.init(revision: plan.revision, resolutions: Dictionary(uniqueKeysWithValues: resolutions)))
}

/// The records of what a system is left with: known ones keep their quality, others are served and nothing has checked them.
func releaseRecords(of system: System, _ plan: Plan, _ recorded: RecordedState, at time: Timestamp) -> [ResourceID: ReleaseRecord] {
    var records: [ResourceID: ReleaseRecord] = [:]
    for component in system.components {
        guard let resolution = plan.resolutions[component.id] ?? recorded.resolutions[component.id] else { continue }
        let known = recorded.latestRecord(of: component.id, matching: resolution)
        records[component.id] = ReleaseRecord(
            resolution: resolution.adding(known?.resolution.lineage ?? []), quality: known?.quality ?? .servedUnverified,
            requires: component.requires, schemas: known?.schemas ?? [:],
            // Receipts may have told more since the release was recorded: of writes that an interrupted pass had made.
            configuration: known.flatMap { recorded.configurations[component.id] ?? $0.configuration }, deployment: known?.deployment,
            reached: time)
    }
    return records
}
