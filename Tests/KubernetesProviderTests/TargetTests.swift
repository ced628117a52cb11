import Model
import SpecFields
import Testing
import YAMLReading

@testable import KubernetesProvider

struct TargetTests {
    private func read(_ text: String) throws -> (KubernetesTarget?, [String]) {
        let node = try YAMLNode(reading: Array(text.utf8))
        let reading = SpecReading(file: "spec.yaml")
        let target = KubernetesTarget.read(node, reading)
        return (target, reading.diagnostics.map(\.description))
    }

    @Test(arguments: [
        ("{namespace: prod, deployment: backend}", "(current)/prod/deployment/backend"),
        ("{namespace: prod, statefulSet: db, container: api}", "(current)/prod/statefulSet/db"),
        ("{namespace: prod, daemonSet: log.agent, context: staging}", "staging/prod/daemonSet/log.agent"),
    ])
    func aTargetIsRead(_ text: String, _ identity: String) throws {
        let (target, diagnostics) = try read(text)
        #expect(diagnostics == [])
        #expect(target?.identity == identity)
    }

    @Test(arguments: [
        "{namespace: prod}", "{namespace: prod, deployment: a, daemonSet: b}", "{deployment: a}", "{namespace: Prod, deployment: a}",
        "{namespace: prod, deploymnet: a}", "{namespace: prod, deployment: a, image: b}",
    ])
    func aMistakeIsReportedOnce(_ text: String) throws {
        let (target, diagnostics) = try read(text)
        #expect(target == nil)
        #expect(diagnostics.count == 1, "\(diagnostics)")
    }
}
