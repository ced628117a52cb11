import Model

/// Whether a component's provider can replace the pinned release by itself.
public struct FenceStatus: Sendable, Hashable {
    /// CamelCase, stable: for JSON and metrics.
    public enum State: String, Sendable {
        /// Belay has switched the automation off.
        case raised = "Up"
        /// The automation is on, though the spec wants it off.
        case down = "Down"
        /// The automation is off, and not by Belay: nothing of it is brought back.
        case offByOthers = "OffByOthers"
        /// The spec says `fence: false`.
        case unwanted = "NotWanted"
        /// There is no switch: what replaces the release is seen afterwards, as drift.
        case watched = "WatchedOnly"
        case nothingToFence = "NothingToFence"
        case unknown = "Unknown"
    }

    public var state: State
    /// The provider's own name of the switch; nil where there is no automation.
    public var name: String?
    /// How it is set now; nil when that is unknown.
    public var value: String?
    /// What Belay brings back when the pin is released; nil when no fence is up.
    public var previous: String?
    /// For people, without the component's name: `fence up (autoDeploy: was commit)`. Empty when there is nothing to fence.
    public var message: String

    init(_ component: Component, _ observation: Observation?, _ fence: Fence?) {
        let automation = observation?.automation
        let own = fence.flatMap { fence in
            fence.provider == component.target.provider && automation.map { $0.name == fence.name } ?? true ? fence : nil
        }
        name = automation?.name ?? own?.name
        value = automation?.value
        previous = own?.previous
        let was = own.map { "\($0.name): was \($0.previous)" } ?? ""
        guard let automation else {
            let isUnknown = observation == nil || observation?.live.problem != nil
            state = isUnknown ? .unknown : .nothingToFence
            message =
                own == nil ? "" : isUnknown ? "fence unknown; it was put up (\(was))" : "fence gone: there is no switch any more (\(was))"
            return
        }
        let now =
            "\(automation.name) is \(automation.isOn ? "on" : "off") (\(automation.value))"
            + (automation.setBy.map { ", set by \($0)" } ?? "")
        switch (component.isFenced, automation.isOn, own) {
        case (false, _, let own):
            state = .unwanted
            message = own == nil || automation.isOn ? "no fence wanted; \(now)" : "no fence wanted, and one is still up (\(was))"
        case (true, true, _) where automation.off == nil:
            state = .watched
            message = "watched only, there is no switch: \(automation.summary)"
        case (true, false, nil) where automation.off == nil:
            state = .nothingToFence
            message = ""
        case (true, true, let own):
            state = .down
            message =
                "fence down: \(now)\(own == nil ? "" : ", though Belay had switched it off"); "
                + "it \(automation.summary), which replaces the pin"
        case (true, false, _?):
            state = .raised
            message = "fence up (\(was))"
        case (true, false, nil):
            state = .offByOthers
            message = "\(now), by no fence that is recorded here: it stays so"
        }
    }
}
