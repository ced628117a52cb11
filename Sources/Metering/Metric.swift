/// One family of series: what it is called, what it means, what tells its series apart.
public struct Metric: Sendable, Hashable {
    public enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    /// By the conventions of Prometheus; a counter ends in `_total`.
    public var name: String
    public var kind: Kind
    /// One sentence; the page of metrics holds it word for word.
    public var help: String
    public var labels: [String]
    /// The upper bounds of a histogram, ascending, without the infinite one.
    public var bounds: [Double]

    public static func counter(_ name: String, _ labels: String..., help: String) -> Metric {
        Metric(name: name, kind: .counter, help: help, labels: labels, bounds: [])
    }

    public static func gauge(_ name: String, _ labels: String..., help: String) -> Metric {
        Metric(name: name, kind: .gauge, help: help, labels: labels, bounds: [])
    }

    public static func histogram(_ name: String, _ labels: String..., bounds: [Double], help: String) -> Metric {
        Metric(name: name, kind: .histogram, help: help, labels: labels, bounds: bounds)
    }
}
