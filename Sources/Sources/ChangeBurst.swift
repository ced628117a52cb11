/// When changes that follow each other are told. Times are in milliseconds since some start, by whoever calls.
///
/// A file that is renamed into place is there as a whole: it is told at once, unless something was told a moment ago. Whatever else changes
/// is told when it has been quiet for 60 ms or has lasted half a second, because a file may be half written and a checkout half done.
struct ChangeBurst {
    enum Change {
        /// A file that is there as a whole.
        case whole
        case part
    }

    private static let quiet: Int64 = 60
    private static let longest: Int64 = 500

    private var first: Int64?
    private var last: Int64 = 0
    private var told: Int64?

    /// Notes a change.
    mutating func add(_ change: Change, at now: Int64) {
        let isAlone = first == nil && told.map { now - $0 >= Self.quiet } ?? true
        last = change == .whole && isAlone ? now - Self.quiet : now
        first = first ?? now
    }

    /// When it is to be told; nil while there is nothing to tell.
    var due: Int64? { first.map { min(last + Self.quiet, $0 + Self.longest) } }

    /// True if it is to be told now; what comes after that is another burst.
    mutating func takes(at now: Int64) -> Bool {
        guard let due, due <= now else { return false }
        first = nil
        told = now
        return true
    }
}
