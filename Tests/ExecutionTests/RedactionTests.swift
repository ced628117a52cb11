import Model
import ProviderKit
import TestDoubles
import Testing

/// A vendor's error may repeat what it was sent.
struct RedactionTests {
    private struct Echo: Provider {
        typealias Target = FakeTarget
        func observe(_ target: FakeTarget, _ request: ObservationRequest) async -> Observation {
            .unknown(Problem("Odd", "the vendor says: \(Self.said(request.configuration))", next: Self.said(request.configuration)))
        }
        func apply(_ change: ReleaseChange, to target: FakeTarget, _ request: ApplyRequest) async -> ApplyResult {
            .refused(Problem("Odd", "the vendor says: \(Self.said(request.configuration))"))
        }
        private static func said(_ configuration: DesiredConfiguration?) -> String {
            (configuration?.values.values.map { $0.secret.reveal() } ?? []).sorted().joined(separator: " and ")
        }
    }

    private let configuration = DesiredConfiguration(values: [
        "TOKEN": .init(Secret("s3cr3t"), isReference: true, fingerprint: ""),
        "LONG_TOKEN": .init(Secret("s3cr3t-and-more"), isReference: true, fingerprint: ""),
        "LEVEL": .init(Secret("info"), isReference: false, fingerprint: ""),
    ])

    @Test func whatAVendorRepeatsOfAValueIsTakenOut() async {
        let provider = AnyProvider(Echo())
        let component = Component.make()
        let observation = await provider.observe(
            component, ObservationRequest(component: "web", pin: .name("v2"), configuration: configuration))
        #expect(
            observation.live.problem
                == Problem("Odd", "the vendor says: info and (value) and (value)", next: "info and (value) and (value)"))
        let change = ReleaseChange(from: nil, to: .fake("v2"), resolution: .make(), route: .fake("v2"))
        let result = await provider.apply(
            change, to: component,
            ApplyRequest(component: "web", intent: .make(), revision: .example, configuration: configuration))
        #expect(result == .refused(Problem("Odd", "the vendor says: info and (value) and (value)")))
    }
}
