/// How numbers are written for a scraper.
public enum ExpositionFormat: Sendable {
    /// Version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
    case prometheus
    /// Version 1.0.0: https://prometheus.io/docs/specs/om/open_metrics_spec/
    case openMetrics

    /// The one that a scraper prefers; without a word of its, the older one.
    ///
    /// - Parameter accept: the field of that name.
    public init(accepting accept: String?) {
        var best: (format: ExpositionFormat, quality: Double) = (.prometheus, 0)
        for item in (accept ?? "").split(separator: ",") {
            let parts = item.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
            let format: ExpositionFormat
            switch parts.first {
            case "application/openmetrics-text":
                // Later versions may write it otherwise.
                guard parts.allSatisfy({ !$0.hasPrefix("version=") || $0 == "version=1.0.0" || $0 == "version=0.0.1" }) else { continue }
                format = .openMetrics
            case "text/plain", "text/*", "*/*": format = .prometheus
            default: continue
            }
            let quality = parts.first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            if quality > best.quality { best = (format, quality) }
        }
        self = best.format
    }

    public var contentType: String {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }
}

extension Family {
    /// Series in the order of their labels, so that two scrapes of the same numbers are the same.
    func write(to text: inout String, _ format: ExpositionFormat) {
        let name = metric.name
        let isCounter = metric.kind == .counter
        let family = format == .openMetrics && isCounter ? String(name.dropLast("_total".count)) : name
        text += "# HELP \(family) \(metric.help)\n# TYPE \(family) \(metric.kind.rawValue)\n"
        for (labels, series) in series.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let named = zip(metric.labels, labels).map { "\($0)=\"\(Self.escaped($1))\"" }
            guard metric.kind == .histogram else {
                text += "\(name)\(Self.braces(named)) \(Self.number(series.value))\n"
                continue
            }
            var count: UInt64 = 0
            for (index, bucket) in series.buckets.enumerated() {
                count += bucket
                let bound = index < metric.bounds.count ? Self.number(metric.bounds[index], always: format == .openMetrics) : "+Inf"
                text += "\(name)_bucket\(Self.braces(named + ["le=\"\(bound)\""])) \(count)\n"
            }
            text += "\(name)_sum\(Self.braces(named)) \(Self.number(series.value))\n"
            text += "\(name)_count\(Self.braces(named)) \(count)\n"
        }
    }

    private static func braces(_ labels: [String]) -> String { labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}" }

    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return text }
        return text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    /// - Parameter always: with a fraction, as OpenMetrics wants its bounds.
    private static func number(_ value: Double, always: Bool = false) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if !always, value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        return "\(value)"
    }
}
