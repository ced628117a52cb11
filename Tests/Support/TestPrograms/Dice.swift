import Synchronization

/// Random numbers of a seed, for one part of a test: SplitMix64.
public final class Dice: Sendable {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return value ^ (value >> 31)
        }
    }

    private let generator: Mutex<Generator>

    /// - Parameter part: every part has numbers of its own.
    public init(seed: UInt64, part: String) {
        generator = Mutex(Generator(state: part.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }))
    }

    public func number(_ range: ClosedRange<Int>) -> Int { generator.withLock { Int.random(in: range, using: &$0) } }

    public func chance(_ percent: Int) -> Bool { number(0...99) < percent }

    public func seconds(_ range: ClosedRange<Int>) -> Duration { .milliseconds(number(range.lowerBound * 1000...range.upperBound * 1000)) }

    /// Between -1 and 1.
    public func jitter() -> Double { generator.withLock { Double.random(in: -1...1, using: &$0) } }

    public func pick<Element>(_ elements: [Element]) -> Element { elements[number(0...elements.count - 1)] }
}
