import FoundationEssentials
import Metering
import Testing

/// What is written about the metrics, compared with them.
@Suite struct PageTests {
    private static func file(_ path: String) throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    @Test func thePageHasARowForEveryMetricAndNoOther() throws {
        let rows = try Self.file("docs/metrics.md").split(separator: "\n").map(String.init).filter {
            $0.hasPrefix("| `belay_") || $0.hasPrefix("| `process_")
        }
        let expected = Metric.all.map { metric in
            "| `\(metric.name)` | \(metric.kind.rawValue) | \(metric.labels.map { "`\($0)`" }.joined(separator: ", ")) | \(metric.help) |"
        }
        #expect(Set(rows) == Set(expected) && rows.count == expected.count, "\(Set(rows).symmetricDifference(expected).sorted())")
    }

    @Test(arguments: ["manifests/components/monitoring/prometheusrule.yaml", "manifests/components/monitoring/dashboard.json", "docs/metrics.md"])
    func whatIsAskedForExists(path: String) throws {
        var series: [String: Metric] = [:]
        for metric in Metric.all {
            for ending in metric.kind == .histogram ? ["_bucket", "_sum", "_count", ""] : [""] { series[metric.name + ending] = metric }
        }
        let text = try Self.file(path)
        let names = text.matches(of: /(?:belay|process)_[a-z_]*[a-z]/).map { String($0.output) }
        #expect(names.count > 10)
        for name in names { #expect(series[name] != nil, "\(path): there is no \(name)") }
        // name{label="…"}
        for use in text.matches(of: /((?:belay|process)_[a-z_]*[a-z])\{([a-z]+)[=!]/) {
            let label = String(use.output.2)
            #expect(label == "job" || series[String(use.output.1)]?.labels.contains(label) == true, "\(path): \(use.output.0)")
        }
    }

    @Test func everyAlertIsOnThePage() throws {
        let rules = try Self.file("manifests/components/monitoring/prometheusrule.yaml")
        let alerts = rules.matches(of: /alert: (\w+)/).map { String($0.output.1) }
        let page = try Self.file("docs/metrics.md")
        #expect(alerts.count > 5)
        for alert in alerts { #expect(page.contains("| `\(alert)` ("), "\(alert)") }
    }
}
