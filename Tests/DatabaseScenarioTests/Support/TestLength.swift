import FoundationEssentials

/// How long the tests take that can be any length.
enum TestLength {
    /// True with `BELAY_LONG=1`, as `make soak` sets it.
    static let isLong = ProcessInfo.processInfo.environment["BELAY_LONG"] == "1"

    static func choose(short: Int, long: Int) -> Int { isLong ? long : short }

    /// Where random numbers begin: `BELAY_SEED`, to repeat a run, or the same every day.
    static let seed = ProcessInfo.processInfo.environment["BELAY_SEED"].flatMap { UInt64($0) } ?? 20_261_130
}
