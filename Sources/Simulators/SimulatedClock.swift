import Synchronization

/// The time of a sandbox: real time scaled by a speed, or moved by hand.
public protocol SimulatedClock: Sendable {
    /// Milliseconds since 1970, UTC.
    var milliseconds: Int64 { get }
}

extension SimulatedClock {
    /// RFC 3339 with whole seconds, as Kubernetes writes times.
    public var rfc3339: String { SimulatedTime.rfc3339(milliseconds) }
    /// RFC 9110's form, as every HTTP server writes `Date`.
    public var httpDate: String { SimulatedTime.httpDate(milliseconds) }
}

/// A clock that stands still until it is moved.
public final class ManualClock: SimulatedClock {
    private let time: Mutex<Int64>

    /// - Parameter milliseconds: since 1970; by default 2026-11-23T00:00:00Z.
    public init(milliseconds: Int64 = 1_795_392_000_000) { time = Mutex(milliseconds) }

    public var milliseconds: Int64 { time.withLock { $0 } }

    public func advance(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        time.withLock { $0 += seconds * 1000 + attoseconds / 1_000_000_000_000_000 }
    }
}

/// Real time since the sandbox began, multiplied by `speed`.
public struct ScaledClock: SimulatedClock {
    private let start = ContinuousClock.now
    private let origin: Int64
    private let speed: Double

    /// - Parameter origin: the wall clock's milliseconds since 1970 at this moment.
    public init(origin: Int64, speed: Double) {
        self.origin = origin
        self.speed = speed
    }

    public var milliseconds: Int64 { origin + Int64((ContinuousClock.now - start) / .milliseconds(1) * speed) }
}

/// Times as the vendors write them.
public enum SimulatedTime {
    public static func rfc3339(_ milliseconds: Int64) -> String {
        let (year, month, day, hour, minute, second, _) = parts(milliseconds)
        return "\(padded(year, 4))-\(padded(month))-\(padded(day))T\(padded(hour)):\(padded(minute)):\(padded(second))Z"
    }

    public static func httpDate(_ milliseconds: Int64) -> String {
        let (year, month, day, hour, minute, second, weekday) = parts(milliseconds)
        let names = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return
            "\(names[weekday]), \(padded(day)) \(months[month - 1]) \(padded(year, 4)) \(padded(hour)):\(padded(minute)):\(padded(second)) GMT"
    }

    private static func padded(_ value: Int, _ width: Int = 2) -> String {
        let digits = String(value)
        return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }

    private static func parts(_ milliseconds: Int64) -> (Int, Int, Int, Int, Int, Int, Int) {
        let days = Int((milliseconds - (((milliseconds % 86_400_000) + 86_400_000) % 86_400_000)) / 86_400_000)
        let seconds = Int((milliseconds - Int64(days) * 86_400_000) / 1000)
        var year = 1970
        var left = days
        func length(_ year: Int) -> Int { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365 }
        while left < 0 {
            year -= 1
            left += length(year)
        }
        while left >= length(year) {
            left -= length(year)
            year += 1
        }
        let months = [31, length(year) == 366 ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var month = 0
        while left >= months[month] {
            left -= months[month]
            month += 1
        }
        return (year, month + 1, left + 1, seconds / 3600, seconds / 60 % 60, seconds % 60, ((days + 4) % 7 + 7) % 7)
    }
}
