import Model
import State

extension StepRunner {
    /// Turns the switch of a provider's automation and sees that it is turned.
    func fence(_ change: FenceChange, at site: Site, until end: Duration) async throws(StateError) -> Outcome {
        let resolution = plan.resolutions[site.id]
        return try await FenceSwitch(
            component: site.component, provider: site.provider, session: session, time: time, pace: pace, now: now, newID: newID,
            revision: plan.revision, resolution: resolution, promise: { await self.promised(until: end) },
            observe: { await self.observe(site, resolution, intent: nil, until: end) }
        ).turn(change, until: end)
    }
}
