import Model

/// A condition as kstatus knows them: https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus
public struct Condition: Sendable, Hashable {
    public enum Kind: String, Sendable {
        case ready = "Ready"
        case reconciling = "Reconciling"
        case stalled = "Stalled"
        /// Somebody else changed what had been reached. Of Belay's own, beside those of kstatus; true until the pin is reached again.
        case drifted = "Drifted"
        /// A schema is not as its last migration left it.
        case schemaDrift = "SchemaDrift"
        /// A repository of migrations does not answer, and what was read of it before is used.
        case migrationsStale = "MigrationsStale"
    }

    public var kind: Kind
    public var isTrue: Bool
    public var reason: String
    public var message: String

    static func of(components: [ComponentStatus], databases: [DatabaseStatus], plan: Plan, transition: Transition?) -> [Condition] {
        func list(_ names: [String]) -> String { names.sorted().joined(separator: ", ") }
        // A failed release that is about to be replaced holds nothing up.
        let leaving = Set(plan.steps.filter(\.action.isWrite).compactMap(\.resource))
        let failed = list(components.filter { $0.state == .failed && !leaving.contains(.component($0.name)) }.map(\.name))
        let decisions = list(plan.blocked.filter { $0.kind == .decision }.map(\.resource.description))
        let ready = plan.isInSync
        let stalled = !failed.isEmpty || !decisions.isEmpty
        var conditions = [
            Condition(
                kind: .ready, isTrue: ready, reason: ready ? "InSync" : "OutOfSync",
                message: ready ? "every pin is live and healthy" + killed(plan) : lacks(components, plan, transition)),
            Condition(
                kind: .reconciling, isTrue: transition != nil && !stalled,
                reason: transition == nil ? "Idle" : stalled ? "Stalled" : "TransitionOpen",
                message: transition.map { "\(stalled ? "held up " : "")on the way to revision \($0.revision)" } ?? ""),
            Condition(
                kind: .stalled, isTrue: stalled,
                reason: !failed.isEmpty ? "ReleaseFailed" : !decisions.isEmpty ? "DecisionNeeded" : "Moving",
                message: !failed.isEmpty ? "failed: \(failed)" : decisions.isEmpty ? "" : "waiting for a decision: \(decisions)"),
            Condition(
                kind: .drifted, isTrue: !plan.drifts.isEmpty, reason: driftReason(plan),
                // Without the cause: a vendor words it anew as it learns more.
                message: plan.drifts.map { "\($0.resource.name): \($0.found) instead of \($0.expected)" }.joined(separator: "; ")),
        ]
        let changed = databases.filter { !($0.drift ?? []).isEmpty }
        if databases.contains(where: { $0.drift != nil }) {
            conditions.append(
                Condition(
                    kind: .schemaDrift, isTrue: !changed.isEmpty, reason: changed.isEmpty ? "NoneSeen" : "ChangedElsewhere",
                    message: changed.map { "\($0.name): \(($0.drift ?? []).joined(separator: "; "))" }.joined(separator: "; ")))
        }
        if databases.contains(where: { $0.repository != nil }) {
            let stale = databases.compactMap { database in database.staleness.map { "\(database.name): \($0)" } }
            conditions.append(
                Condition(
                    kind: .migrationsStale, isTrue: !stale.isEmpty, reason: stale.isEmpty ? "Newest" : "RepositoryAway",
                    message: stale.joined(separator: "; ")))
        }
        return conditions
    }

    /// A flag that is killed by hand is named by its own reason where nothing else has drifted.
    private static func driftReason(_ plan: Plan) -> String {
        guard !plan.drifts.isEmpty else { return "NoneSeen" }
        let killed = Set(plan.flags.filter { $0.state == .killedOutOfBand }.map(\.id))
        return plan.drifts.allSatisfy { killed.contains($0.resource) } ? FlagStanding.State.killedOutOfBand.rawValue : "ChangedElsewhere"
    }

    private static func killed(_ plan: Plan) -> String {
        let names = plan.flags.filter { $0.state == .killedOutOfBand }.map(\.name)
        return names.isEmpty ? "" : ", but for flags that were killed by hand: \(names.joined(separator: ", "))"
    }

    /// `not at its pin: web; checks owed: api`.
    private static func lacks(_ components: [ComponentStatus], _ plan: Plan, _ transition: Transition?) -> String {
        let elsewhere = plan.blocked.map(\.resource).filter { $0.kind != .component }.map(\.description)
        let schemas = Set(
            plan.steps.compactMap { step -> String? in
                guard case .migrate = step.action else { return nil }
                return step.resource?.description
            })
        let flags = plan.flags.filter { $0.state == .outOfSync || $0.desired != $0.current && $0.state != .unknown && $0.state != .blocked }
            .map(\.id.description)
        let parts = ComponentStatus.Lack.allCases.compactMap { lack -> String? in
            let names = Set(components.filter { $0.lack == lack }.map(\.name) + (lack == .away ? elsewhere + flags + schemas : []))
            return names.isEmpty ? nil : "\(lack.rawValue): \(names.sorted().joined(separator: ", "))"
        }
        guard parts.isEmpty else { return parts.joined(separator: "; ") }
        // Every component is in place: what is left is the system's, or of a component that the spec no longer has.
        let owed = (transition?.obligations ?? []).map { obligation in
            switch obligation {
            case .check(let resource): resource.description
            case .systemChecks: "the system"
            }
        }
        return owed.isEmpty ? "the transition is not closed yet" : "checks owed: \(owed.sorted().joined(separator: ", "))"
    }
}
