import KubernetesAPI

/// How far a list has been read, and whether it is to be read on.
struct ListReading: Sendable {
    /// A list brings the objects that nobody asked for as well: no more of them than make this many for each that is wanted.
    static let excess = 8

    private let wanted: Int
    private let pageSize: Int
    /// How many objects the next page may bring. Nil: no further page is wanted.
    private(set) var limit: Int?
    private(set) var position: String?
    /// How many objects the place holds, as far as it is known.
    private(set) var size: Int?
    private var seen = 0
    private var requests = 0
    private var hasStartedAgain = false

    init(wanted: Int, pageSize: Int) {
        self.wanted = wanted
        self.pageSize = pageSize
        limit = min(pageSize, Self.excess * wanted)
    }

    /// Whether a list of `size` objects is to be read for `wanted` ones.
    static func isWorthwhile(_ size: Int, wanted: Int, pageSize: Int) -> Bool {
        (size + pageSize - 1) / pageSize < wanted && size <= excess * wanted
    }

    mutating func turn(_ page: KubernetesPage, missing: Int) {
        requests += 1
        seen += page.items.count
        position = page.next
        let rest = page.next == nil ? 0 : page.remaining ?? pageSize
        let size = seen + rest
        self.size = size
        let isShort = size <= Self.excess * wanted && requests < wanted && (rest + pageSize - 1) / pageSize < missing
        if page.next == nil || !isShort { limit = nil }
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
