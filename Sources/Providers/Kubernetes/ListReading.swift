import KubernetesAPI

/// How far a list has been read, and whether it is to be read on.
struct ListReading: Sendable {
    /// A list brings the objects that nobody asked for as well: no more of them than make this many for each that is wanted.
    static let excess = 8

    private let wanted: Int
    /// Nil: no further page is wanted.
    private(set) var limit: Int?
    private(set) var position: String?
    /// How many objects the place holds, as far as it is known.
    private(set) var size: Int?
    private var seen = 0
    private var requests = 0
    private var hasStartedAgain = false

    init(wanted: Int) {
        self.wanted = wanted
        limit = min(KubernetesClient.pageSize, Self.excess * wanted)
    }

    /// Whether `count` objects in pages are less than a request for each of `missing`.
    static func isWorthwhile(_ count: Int, missing: Int) -> Bool {
        (count + KubernetesClient.pageSize - 1) / KubernetesClient.pageSize < missing && count <= excess * missing
    }

    mutating func turn(_ page: KubernetesPage, missing: Int) {
        requests += 1
        seen += page.items.count
        position = page.next
        let rest = page.next == nil ? 0 : page.remaining ?? KubernetesClient.pageSize
        size = seen + rest
        if page.next == nil || requests >= wanted || !Self.isWorthwhile(rest, missing: missing) { limit = nil }
    }

    /// After a position has expired. False: not again.
    mutating func startAgain() -> Bool {
        guard position != nil, !hasStartedAgain else { return false }
        hasStartedAgain = true
        position = nil
        seen = 0
        return true
    }
}
