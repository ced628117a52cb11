import Model

/// A switch of an automation that is not as it should be, apart from any change of release.
struct FenceRepair {
    var component: Component
    var change: FenceChange
}

extension Survey {
    /// Fences that somebody switched on again though Belay had put them up, and those that the spec does not want any more.
    func fenceRepairs() -> [FenceRepair] {
        guard !recorded.fences.isEmpty else { return [] }
        return system.components.sorted { $0.name < $1.name }.compactMap { component in
            guard let fence = recorded.fences[component.id], fence.provider == component.target.provider,
                let observation = observed.components[component.id], observation.live.problem == nil,
                let automation = observation.automation, automation.name == fence.name
            else { return nil }
            if component.isFenced {
                guard let change = automation.raising else { return nil }
                return FenceRepair(component: component, change: change)
            }
            return FenceRepair(
                component: component, change: FenceChange(.lower, name: fence.name, from: fence.set, to: fence.previous))
        }
    }
}

extension Automation {
    /// The change that switches it off; nil when it is off, or has no switch.
    var raising: FenceChange? {
        guard isOn, let off else { return nil }
        return FenceChange(.raise, name: name, from: value, to: off)
    }
}

extension Subject {
    /// The fence that has to be up before the component is written to; nil when it is, or when there is none.
    var fence: FenceChange? {
        guard isWritten, component.isFenced else { return nil }
        return observation.automation?.raising
    }

    /// The fence that has to be up at the end as well: what is written here may switch the automation on again.
    var keptFence: FenceChange? {
        guard isWritten, component.isFenced, let automation = observation.automation, let off = automation.off else { return nil }
        return FenceChange(.raise, name: automation.name, from: automation.value, to: off)
    }
}
