import Metering
import Testing

@Suite struct RegistryTests {
    private static let requests = Metric.counter("requests_total", "path", "code", help: "Requests.")
    private static let depth = Metric.gauge("depth", help: "How many wait.")
    private static let duration = Metric.histogram("duration_seconds", "system", bounds: [0.5, 1], help: "How long.")

    private static func filled() -> MetricRegistry {
        let registry = MetricRegistry([requests, depth, duration])
        registry.add(to: requests, "/b", "200")
        registry.add(2.5, to: requests, "/a\"\\\n", "500")
        registry.set(depth, to: 3)
        for seconds in [0.25, 0.5, 0.75, 9] { registry.observe(.seconds(seconds), in: duration, "default/shop") }
        return registry
    }

    @Test func everySeriesIsWrittenInItsOrder() {
        #expect(
            Self.filled().text(.prometheus) == #"""
                # HELP requests_total Requests.
                # TYPE requests_total counter
                requests_total{path="/a\"\\\n",code="500"} 2.5
                requests_total{path="/b",code="200"} 1
                # HELP depth How many wait.
                # TYPE depth gauge
                depth 3
                # HELP duration_seconds How long.
                # TYPE duration_seconds histogram
                duration_seconds_bucket{system="default/shop",le="0.5"} 2
                duration_seconds_bucket{system="default/shop",le="1"} 3
                duration_seconds_bucket{system="default/shop",le="+Inf"} 4
                duration_seconds_sum{system="default/shop"} 10.5
                duration_seconds_count{system="default/shop"} 4

                """#)
    }

    @Test func openMetricsNamesTheFamilyOfACounterWithoutItsEndAndHasAnEnd() {
        let text = Self.filled().text(.openMetrics)
        #expect(text.contains("# TYPE requests counter\nrequests_total{"))
        #expect(text.contains("le=\"1.0\""))
        #expect(text.hasSuffix("} 4\n# EOF\n"))
    }

    @Test func whatBelongsToASystemGoesWithIt() {
        let registry = Self.filled()
        registry.remove("system", "default/shop")
        #expect(!registry.text(.prometheus).contains("duration_seconds"), "no head without a series either")
        #expect(registry.value(of: Self.depth) == 3)
    }

    @Test func replacingKeepsNothingOfBefore() {
        let registry = MetricRegistry([Self.depth, .sourceRevision])
        registry.replace(.sourceRevision, with: [["commit", "a"]: 1])
        registry.replace(.sourceRevision, with: [["commit", "b"]: 1])
        #expect(registry.value(of: .sourceRevision, "commit", "a") == nil && registry.value(of: .sourceRevision, "commit", "b") == 1)
    }

    @Test(
        arguments: [
            (nil, ExpositionFormat.prometheus, "whoever says nothing"), ("text/html", .prometheus, "a browser"),
            ("*/*", .prometheus, "curl"),
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1", .openMetrics,
                "Prometheus 2"
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5",
                .openMetrics,
                "Prometheus 3"
            ),
            ("application/openmetrics-text; version=2.0.0, text/plain; q=0.1", .prometheus, "a version that is not written here"),
            ("text/plain;version=0.0.4, application/openmetrics-text;q=0.2", .prometheus, "whoever likes the older one more"),
        ] as [(String?, ExpositionFormat, String)])
    func theScraperChooses(accept: String?, format: ExpositionFormat, who: String) {
        #expect(ExpositionFormat(accepting: accept) == format, "\(who)")
    }

    @Test func namesFollowTheConventions() {
        #expect(Set(Metric.all.map(\.name)).count == Metric.all.count)
        for metric in Metric.all {
            #expect(metric.name.hasPrefix("belay_") || metric.name.hasPrefix("process_"), "\(metric.name)")
            #expect((metric.kind == .counter) == metric.name.hasSuffix("_total"), "\(metric.name)")
            #expect(metric.bounds == metric.bounds.sorted() && metric.help.hasSuffix("."), "\(metric.name)")
            #expect(!metric.labels.contains("le"), "\(metric.name)")
        }
    }

    @Test func theProcessIsMeasured() throws {
        let registry = MetricRegistry()
        registry.readProcess()
        for metric in [Metric.processResident, .processVirtual, .processFiles, .processMostFiles, .processThreads] {
            #expect(try #require(registry.value(of: metric)) >= 1, "\(metric.name)")
        }
        #expect(try #require(registry.value(of: .processStart)) > 1_700_000_000)
        #expect(try #require(registry.value(of: .processCPU)) >= 0)
    }
}
