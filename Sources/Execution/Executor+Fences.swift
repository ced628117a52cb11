public import Model
import ProviderKit
public import State

extension Executor {
    /// Takes down the fence of a component that no spec names any more: its automation gets back the value that it had, unless somebody has
    /// changed it since. Success is recorded; after anything else the fence is still recorded as up.
    ///
    /// - Parameters:
    ///   - target: where the fence stands, as it was recorded with it.
    ///   - limit: how long it may take until the value is seen.
    public func lower(
        _ fence: Fence, of component: String, at target: any Target, revision: Revision, within limit: Duration,
        in session: any StateSession
    ) async throws(StateError) -> Outcome {
        guard let provider = providers[fence.provider] else {
            return .failed(
                Problem(
                    "UnknownProvider", "component/\(component): no provider is named \(fence.provider)", next: "run a version that has it"))
        }
        let time = PassTime(clock)
        let resolution = await session.state.resolutions[.component(component)]
        let component = Component(name: component, target: target, release: resolution?.pin ?? .name("none"))
        return try await FenceSwitch(
            component: component, provider: provider, session: session, time: time, pace: pace, now: now, newID: newID,
            revision: revision, resolution: resolution,
            observe: {
                let late = Observation.unknown(Problem("ObservationTimedOut", "\(component.id): looking at it took too long"))
                return await time.bounded(by: max(limit - time.elapsed, .zero), otherwise: late) {
                    await provider.observe(
                        component, ObservationRequest(component: component.name, pin: component.release, resolution: resolution))
                }
            }
        ).turn(FenceChange(.lower, name: fence.name, from: fence.set, to: fence.previous), until: limit)
    }
}
