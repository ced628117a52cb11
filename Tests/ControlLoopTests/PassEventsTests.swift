import JSONValues
import Model
import State
import TestDoubles
import Testing
import TextLayout

@testable import ControlLoop

/// What a report tells beside its verdict: drift, fences, and what came with the writes.
struct PassEventsTests {
    private static let web = ResourceID.component("web")

    private static let pin = Resolution(
        pin: .name("v1"), identity: ArtifactIdentity(.image, "v1"), label: "v1", revision: .example)

    /// `v1` was pinned and reached; then somebody brought `v3` there.
    private func drifted() async throws -> Stage {
        let stage = try Stage(
            ["web": .init(declared: "v3")],
            look: { _, _, observation in
                var observation = observation
                observation.cause = "push of 9f2c1ab to main, 14:02"
                return observation
            })
        stage.world.automation = .init(value: "on")
        try await stage.accept(
            .accepted(
                .init(
                    revision: .example, resolutions: [Self.web: Self.pin],
                    releases: [Self.web: ReleaseRecord(resolution: Self.pin, quality: .good, reached: .example)])))
        return stage
    }

    @Test func driftAndTheFenceThatWasPutUpAreTold() async throws {
        let stage = try await drifted()
        let report = await stage.pass(.make(.make("web", "v1")))
        let drift = "component/web: v3 is live instead of v1: push of 9f2c1ab to main, 14:02"
        #expect(
            report.text(.plain) == """
                ✔ default/shop: converged, 1 change made
                  drift: \(drift)
                  fence up: web: autoDeploy is off (was on)

                """)
        #expect(report.markdown.hasSuffix("\n\n- drift: \(drift)\n- fence up: web: autoDeploy is off (was on)\n\n"))
        #expect(
            report.json["drifts"] == [
                [
                    "resource": "component/web", "expected": "v1", "found": "v3", "identity": "image:v3",
                    "cause": "push of 9f2c1ab to main, 14:02",
                ]
            ])
        #expect(
            report.json["fences"] == [
                ["component": "web", "change": "up", "name": "autoDeploy", "message": "autoDeploy is off (was on)"]
            ])
    }

    @Test func theFenceThatWasTakenDownIsTold() async throws {
        let stage = try await drifted()
        _ = await stage.pass(.make(.make("web", "v1")))
        var component = Component.make("web", "v1")
        component.isFenced = false
        let report = await stage.pass(.make(component))
        #expect(report.text(.plain).hasSuffix("\n  fence down: web: autoDeploy is on\n"))
        #expect(report.json["fences"]?[0]?["change"] == "down")
        #expect(stage.world.automation?.value == "on")
    }

    /// The second pass of a run does not find what the first one told; the run's report has it all the same.
    @Test func whatAnEarlierPassOfTheRunFoundIsInTheLastReport() {
        var first = PassEvents()
        first.drifts = [Drift(resource: Self.web, expected: "v1", found: "v3", identity: .init(.image, "v3"), cause: nil)]
        first.cautions = ["web: restarts it"]
        var second = PassEvents()
        second.cautions = ["web: restarts it", "web: and again"]
        #expect(
            first.followed(by: second).lines == [
                "drift: component/web: v3 is live instead of v1, and nobody tells who did it", "note: web: restarts it",
                "note: web: and again",
            ])
    }
}
