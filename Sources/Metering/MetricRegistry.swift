import Synchronization

/// The numbers of a process, by metric and labels. May be used from any thread; no call waits for more than another one's.
///
/// A registry of its own and not swift-metrics: that API has no help texts, takes no single series away again, keeps one global backend, and
/// there is no backend for Prometheus that could be used here, so that all of this would have to be written behind it all the same.
public final class MetricRegistry: Sendable {
    private let families: Mutex<[Family]>
    private let positions: [String: Int]

    public init(_ metrics: [Metric] = Metric.all) {
        families = Mutex(metrics.map { Family(metric: $0) })
        positions = Dictionary(metrics.enumerated().map { ($1.name, $0) }) { first, _ in first }
    }

    /// - Parameter labels: values, in the order of the metric's labels.
    public func add(_ amount: Double = 1, to metric: Metric, _ labels: String...) {
        change(metric) { $0.series[labels, default: Series()].value += amount }
    }

    public func set(_ metric: Metric, _ labels: String..., to value: Double) {
        change(metric) { $0.series[labels, default: Series()].value = value }
    }

    /// Sets every series of a gauge at once; those that are not named are gone.
    public func replace(_ metric: Metric, with values: [[String]: Double]) {
        change(metric) { $0.series = values.mapValues { Series(value: $0) } }
    }

    /// Counts a duration in a histogram of seconds.
    public func observe(_ duration: Duration, in metric: Metric, _ labels: String...) {
        let seconds = duration.seconds
        change(metric) { family in
            let bounds = family.metric.bounds
            let index = bounds.firstIndex { seconds <= $0 } ?? bounds.count
            family.series[labels, default: Series(buckets: [UInt64](repeating: 0, count: bounds.count + 1))].count(seconds, in: index)
        }
    }

    /// Takes away every series of every metric whose label has that value.
    public func remove(_ label: String, _ value: String) {
        families.withLock { families in
            for index in families.indices {
                guard let place = families[index].metric.labels.firstIndex(of: label) else { continue }
                families[index].series = families[index].series.filter { $0.key[place] != value }
            }
        }
    }

    /// Takes one series away.
    public func remove(_ metric: Metric, _ labels: String...) { change(metric) { $0.series[labels] = nil } }

    /// The value of a counter or gauge, the count of a histogram; nil where there is no such series.
    public func value(of metric: Metric, _ labels: String...) -> Double? {
        families.withLock { families in
            guard let position = positions[metric.name], let series = families[position].series[labels] else { return nil }
            return metric.kind == .histogram ? Double(series.buckets.reduce(0, +)) : series.value
        }
    }

    /// Everything, as Prometheus reads it.
    public func text(_ format: ExpositionFormat) -> String {
        // A copy is taken under the lock and costs nothing; what writes it out holds up nobody.
        let families = families.withLock { $0 }
        var text = ""
        for family in families where !family.series.isEmpty { family.write(to: &text, format) }
        if format == .openMetrics { text += "# EOF\n" }
        return text
    }

    private func change(_ metric: Metric, _ body: (inout Family) -> Void) {
        guard let position = positions[metric.name] else { return }
        families.withLock { body(&$0[position]) }
    }
}

/// The series of one metric.
struct Family: Sendable {
    let metric: Metric
    var series: [[String]: Series] = [:]
}

/// One series: a value, or the buckets of a histogram with the sum as the value.
struct Series: Sendable {
    var value: Double = 0
    /// Each counts what is in it alone.
    var buckets: [UInt64] = []

    mutating func count(_ value: Double, in bucket: Int) {
        buckets[bucket] += 1
        self.value += value
    }
}

extension Duration {
    /// With fractions.
    public var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
