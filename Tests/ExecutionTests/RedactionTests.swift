import HTTPCore
import Model
import TestDoubles
import Testing

@testable import ProviderKit

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

    // MARK: What is shown of a vendor's words

    private func shown(_ text: String) -> String? {
        APIError(
            HTTPResponse(status: 400, headers: ["Content-Type": "text/plain"], body: Array(text.utf8)), purpose: "setting A", isWrite: true
        ).vendorMessage
    }

    @Test func aVendorsMessageIsCutBetweenWords() {
        let long = String(repeating: "x", count: 99)
        for (said, expected, why) in [
            ("bad  value\n for\tA ", "bad value for A", "on one line"),
            ("bad\u{1B}[31m value\u{7}", "bad[31m value", "nothing that a terminal acts upon"),
            ("\(long) \(long) \(long) yy", "\(long) \(long) \(long)", "299 characters, and no blank with what does not fit"),
            ("\(long) \(long) \(long)y", "\(long) \(long) \(long)y", "300 characters"),
            ("no \(String(repeating: "s", count: 400)) here", "no", "a word that does not fit is not cut in two"),
            (String(repeating: "s", count: 301), "", "not even when it is the only one"),
        ] {
            #expect(shown(said) == expected, "\(why)")
        }
    }

    @Test func aValueOfSeveralLinesIsTakenOutThoughOnlyItsBeginningIsShown() throws {
        let lines = ["-----BEGIN KEY-----"] + (0..<9).map { "line\($0)" + String(repeating: "k", count: 40) } + ["-----END KEY-----"]
        let value = lines.joined(separator: "\n")
        let redaction = try #require(
            Redaction(DesiredConfiguration(values: ["KEY": .init(Secret(value), isReference: true, fingerprint: "")])))
        for said in ["invalid: \(value)", value, "invalid: \(lines[3])"] {
            let told = redaction(try #require(shown(said)))
            #expect(told.contains("(value)"))
            #expect(!told.contains("kkkk"), "\(told)")
        }
    }

    @Test func whatRefusesAWayIsShownWithoutValues() throws {
        let redaction = try #require(Redaction(configuration))
        let problem = Problem("Odd", "it says s3cr3t", next: "s3cr3t")
        let clean = Problem("Odd", "it says (value)", next: "(value)")
        let route = Route(
            .redeploy, means: "deploy", class: .minutes, token: "s3cr3t", isIdempotent: true, cautions: ["was s3cr3t"], refusal: problem)
        var observation = Observation(
            live: .nothing, candidates: [Candidate(.fake("v1"), routes: [route], gone: problem)],
            operation: Operation(summary: "sets s3cr3t", leadsTo: []),
            configuration: ObservedConfiguration(route: route, problem: problem), cause: "s3cr3t by ann")
        observation = redaction(observation)
        for way in observation.candidates.flatMap(\.routes) + [observation.configuration?.route].compactMap(\.self) {
            #expect(way.refusal == clean)
            #expect(way.cautions == ["was (value)"])
            #expect(way.token == "s3cr3t", "a provider reads it back, and puts no value there")
        }
        #expect(observation.candidates.first?.gone == clean)
        #expect(observation.configuration?.problem == clean)
        #expect(observation.operation?.summary == "sets (value)")
        #expect(observation.cause == "(value) by ann")
    }
}
