import FoundationEssentials
import Synchronization
import TestPrograms

/// The program as a pod runs it, started again whenever it was ended, with what it prints in a file for every life.
final class Pod: Sendable {
    let name: String
    private let arguments: [String]
    private let variables: [String: String?]
    private let place: Place
    private let state = Mutex(State())

    private struct State {
        var lives = 0
        var process: Int?
        var end: BuiltProgram.End?
        var isOver = false
        var status: Int32 = 0
    }

    init(_ name: String, _ arguments: [String], _ variables: [String: String?], _ place: Place) {
        self.name = name
        self.arguments = arguments
        self.variables = variables.merging(["POD_NAME": name]) { $1 }
        self.place = place
    }

    /// Its id; nil between two lives.
    var process: Int? { state.withLock { $0.process } }
    /// How its last life ended.
    var status: Int32 { state.withLock { $0.status } }

    /// Ends the life that is under way.
    func end(by end: BuiltProgram.End) { state.withLock { $0.end = end } }

    /// Ends it for good.
    func finish() {
        state.withLock { state in
            state.isOver = true
            state.end = .terminate
        }
    }

    func run() async throws {
        while !state.withLock({ $0.isOver }) {
            let life = state.withLock { state in
                state.lives += 1
                return state.lives
            }
            let ended = try await BuiltProgram(onSearchPath: "sh").run(
                ["-c", "exec \"$0\" \"$@\" > '\(log(life))' 2>&1", BuiltProgram.path(of: "reconcile")] + arguments, variables: variables,
                in: place.root
            ) { process in
                state.withLock { $0.process = process }
                while true {
                    if let end = takeEnd() { return end }
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            state.withLock { state in
                state.process = nil
                state.status = ended.status
            }
        }
    }

    private func takeEnd() -> BuiltProgram.End? {
        state.withLock { state in
            defer { state.end = nil }
            return state.end
        }
    }

    /// True if it has said last that it leads.
    var leads: Bool {
        get throws {
            guard process != nil else { return false }
            return try lines().last { $0.contains(": this replica ") }?.hasSuffix(" leads") ?? false
        }
    }

    func lastLines() throws -> [String] { try lines().suffix(40).map { "\(name): \($0)" } }

    private func lines() throws -> [String] {
        let life = state.withLock { $0.lives }
        guard FileManager.default.fileExists(atPath: log(life)) else { return [] }
        return try String(contentsOf: URL(filePath: log(life)), encoding: .utf8).split(separator: "\n").map(String.init)
    }

    private func log(_ life: Int) -> String { place.path("\(name)-\(life).log") }
}
