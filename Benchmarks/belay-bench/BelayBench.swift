import Glibc

/// Measures one part of Belay in this process and prints the nanoseconds of every repetition on one line.
///
/// `Benchmarks/run` starts it next to the floors and the peers; by itself a figure says little.
@main
struct BelayBench {
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do throws(BenchError) {
            let benchmark = try benchmark(arguments)
            let repetitions = try arguments.count > benchmark.operands ? number(arguments[benchmark.operands]) : 5
            let clock = ContinuousClock()
            // The first one pays for page faults and lazily made tables.
            if repetitions > 1 { try await benchmark.measured() }
            var nanoseconds: [Int64] = []
            for _ in 0..<repetitions {
                let start = clock.now
                try await benchmark.measured()
                let time = (clock.now - start).components
                nanoseconds.append(time.seconds * 1_000_000_000 + time.attoseconds / 1_000_000_000)
            }
            print(nanoseconds.map(String.init).joined(separator: " "))
        } catch {
            let line = "belay-bench: \(error.message)\n"
            _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
            exit(error.status)
        }
    }

    private static func benchmark(_ arguments: [String]) throws(BenchError) -> Benchmark {
        switch (arguments.first, arguments.count) {
        case ("plan", 3...4):
            return Benchmark(operands: 3, PlanBenchmark(count: try number(arguments[1]), changed: try number(arguments[2])).measured)
        case ("specs", 2...3):
            return Benchmark(operands: 2, try SpecsBenchmark(directory: arguments[1]).measured)
        case ("requests", 3...4):
            let requests = try RequestsBenchmark(path: arguments[1], workers: try number(arguments[2]))
            return Benchmark(operands: 3, requests.measured)
        default:
            throw BenchError(
                64,
                "usage: belay-bench plan COMPONENTS CHANGED [REPETITIONS], specs DIRECTORY [REPETITIONS], "
                    + "or requests FILE WORKERS [REPETITIONS]")
        }
    }

    private static func number(_ text: String) throws(BenchError) -> Int {
        guard let number = Int(text), number >= 0 else { throw BenchError(64, "expected a count, found \(text)") }
        return number
    }
}

struct Benchmark {
    /// How many arguments come before the repetitions.
    var operands: Int
    var measured: () async throws(BenchError) -> Void

    init(operands: Int, _ measured: @escaping () async throws(BenchError) -> Void) {
        self.operands = operands
        self.measured = measured
    }
}

/// Why nothing could be measured.
struct BenchError: Error {
    var status: Int32
    var message: String

    init(_ status: Int32, _ message: String) {
        self.status = status
        self.message = message
    }
}
