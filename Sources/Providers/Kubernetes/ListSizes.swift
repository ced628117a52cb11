import KubernetesAPI
import Model
import Synchronization

/// How many objects the lists of places had when they were last read. To forget it costs a request.
final class ListSizes: Sendable {
    private enum Known: Sendable {
        case size(Int)
        /// It may not be read.
        case refused
        /// Somebody finds out just now.
        case awaited
    }

    /// Below, a list that is not known to be short is not tried: it would save a request, or cost one.
    private static let least = 3
    private let known = Mutex<[WorkloadPlace: (Known, until: Timestamp)]>([:])
    private let now: @Sendable () -> Timestamp
    private let pageSize: Int

    init(now: @escaping @Sendable () -> Timestamp, pageSize: Int) {
        self.now = now
        self.pageSize = pageSize
    }

    /// Nil where each of `wanted` objects is to be asked for by itself.
    func reading(of place: WorkloadPlace, wanted: Int) -> ListReading? {
        let now = now()
        let isRead = known.withLock { known in
            switch known[place] {
            case (.size(let size), let until)? where now < until: return ListReading.isWorthwhile(size, wanted: wanted, pageSize: pageSize)
            case (.refused, let until)? where now < until: return false
            case (.awaited, let until)? where now < until: return false
            default:
                guard wanted >= Self.least else { return false }
                known[place] = (.awaited, now + .seconds(60))
                return true
            }
        }
        return isRead ? ListReading(wanted: wanted, pageSize: pageSize) : nil
    }

    func note(_ size: Int, of place: WorkloadPlace) { note(.size(size), of: place) }

    /// A list that was refused, or that the server did not manage, is not asked for again for a while: asking for one object may work. After
    /// another failure it may be tried at once.
    func note(_ error: KubernetesError, of place: WorkloadPlace) {
        switch error.code {
        case .forbidden: return note(.refused, of: place)
        case .transport, .server: return note(.refused, of: place, for: .seconds(60))
        default: break
        }
        known.withLock { known in
            if case (.awaited, _)? = known[place] { known[place] = nil }
        }
    }

    private func note(_ what: Known, of place: WorkloadPlace, for length: Duration = .seconds(600)) {
        let until = now() + length
        known.withLock { $0[place] = (what, until) }
    }
}
