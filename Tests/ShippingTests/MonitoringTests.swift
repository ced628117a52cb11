import FoundationEssentials
import JSONValues
import TestPrograms
import Testing
import YAMLReading

/// The component with alerts and a dashboard, on top of the manifests.
@Suite(.enabled(if: Tool.kubectl.isThere, Tool.kubectl.need)) struct MonitoringTests {
    @Test func itIsAddedToTheManifestsWithItsDashboard() async throws {
        let place = try Place()
        let up = String(repeating: "../", count: place.root.split(separator: "/").count)
        let root = up + Project.root.dropFirst()
        try place.write(
            "kustomization.yaml", "resources: [\(root)/manifests]\ncomponents: [\(root)/manifests/components/monitoring]\n")
        let text = try await Tool.kubectl.output(["kustomize", place.root])
        for line in [
            "kind: ServiceMonitor", "kind: PrometheusRule", "name: belay-dashboard", "grafana_dashboard: \"1\"", "kind: Deployment",
        ] {
            #expect(text.contains(line), "\(line)")
        }
        try place.remove()
        let service = try Project.yaml("manifests/service.yaml")
        let monitor = try Project.yaml("manifests/components/monitoring/servicemonitor.yaml")
        let name = "app.kubernetes.io/name"
        #expect(
            monitor["spec"]?["selector"]?["matchLabels"]?[name]?.string == service["metadata"]?["labels"]?[name]?.string,
            "it finds the Service")
        #expect(monitor["spec"]?["endpoints"]?.items.first?["port"]?.string == service["spec"]?["ports"]?.items.first?["name"]?.string)
        #expect(try JSON(parsing: Project.text("manifests/components/monitoring/dashboard.json"))["panels"]?.array?.isEmpty == false)
    }
}
