import Synchronization
import TestDoubles

/// What happened in a soak, and what of it must not have.
final class Story: Sendable {
    private struct State {
        var last: [String] = []
        var failures: [String] = []
        /// What was before the first failure.
        var scene: [String] = []
        var count = 0
        /// FNV-1a of every line.
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    }

    private static let kept = 150
    private let time: VirtualTime
    private let state = Mutex(State())

    init(_ time: VirtualTime) { self.time = time }

    /// Nothing random may stand in it that is not of the seed: two runs of one seed tell the same.
    func tell(_ what: String) {
        let line = "\(moment) \(what)"
        state.withLock { state in
            state.count += 1
            for byte in line.utf8 { state.digest = (state.digest ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
            if state.last.count >= Self.kept * 2 { state.last.removeFirst(Self.kept) }
            state.last.append(line)
        }
    }

    func fail(_ why: String) {
        tell("FAILED: \(why)")
        state.withLock { state in
            if state.failures.isEmpty { state.scene = state.last.suffix(Self.kept) }
            if state.failures.count < 20 { state.failures.append("\(moment) \(why)") }
        }
    }

    var failures: [String] { state.withLock { $0.failures } }
    var digest: String { state.withLock { "\($0.count) lines \($0.digest)" } }
    /// What was before the first failure.
    var scene: String { state.withLock { $0.scene.joined(separator: "\n") } }

    private var moment: String {
        let milliseconds = Int(time.now.offset / .milliseconds(1))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(two(milliseconds / 3_600_000)):\(two(milliseconds / 60_000 % 60)):\(two(milliseconds / 1000 % 60)).\(milliseconds % 1000)"
    }
}
