import Model

/// A switch of an automation that is not as it should be, apart from any change of release.
struct FenceRepair {
    var component: Component
    var change: FenceChange
}

extension Survey {
    /// Fences that somebody switched on again though Belay had put them up, and those that the spec does not want any more. A component that
    /// the open transition has acted on is fenced as well, whoever had switched its automation off before: some ways switch it on.
    func fenceRepairs() -> [FenceRepair] {
        guard !recorded.fences.isEmpty || recorded.transition != nil else { return [] }
        return system.components.sorted { $0.name < $1.name }.compactMap { component in
            guard let observation = observed.components[component.id], observation.live.problem == nil,
                let automation = observation.automation
            else { return nil }
            let fence = recorded.fences[component.id].flatMap {
                $0.provider == component.target.provider && $0.name == automation.name ? $0 : nil
            }
            if component.isFenced {
                guard fence != nil || isReached(component, observation), let change = automation.raising else { return nil }
                return FenceRepair(component: component, change: change)
            }
            return fence.map {
                FenceRepair(component: component, change: FenceChange(.lower, name: $0.name, from: $0.set, to: $0.previous))
            }
        }
    }

    /// True if the open transition has brought the component where it had to go.
    private func isReached(_ component: Component, _ observation: Observation) -> Bool {
        guard let transition = recorded.transition, transition.directions[component.id] != nil,
            let target = transition.target[component.id]
        else { return false }
        return observation.live.declared?.matches(target) ?? false
    }
}

extension Survey {
    /// Fences of components that the spec does not name any more: they are left as they are, and somebody should know.
    var abandonedFences: [String] {
        guard !recorded.fences.isEmpty else { return [] }
        let managed = Set(system.components.map(\.id))
        return recorded.fences.filter { !managed.contains($0.key) }.sorted { $0.key < $1.key }.map { id, fence in
            "\(id) is not in the spec any more, and its fence is still up (\(fence.name) was \(fence.previous)); "
                + "reconcile forget \(id.name) takes it down"
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
        return FenceChange(.raise, name: automation.name, from: automation.isOn ? off : automation.value, to: off)
    }
}
