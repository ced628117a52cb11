import Synchronization
import SystemPackage
import TestDoubles

/// What a mutated soak leaves behind at each of its passes.
final class Leak: Sendable {
    private struct State {
        var files: [FileDescriptor] = []
        var bytes: [[UInt8]] = []
        var waiting: [CheckedContinuation<Void, Never>] = []
        var sleepers: [Task<Void, any Error>] = []
    }

    private let mutation: Mutation?
    private let time: VirtualTime
    private let state = Mutex(State())

    init(_ mutation: Mutation?, _ time: VirtualTime) {
        self.mutation = mutation
        self.time = time
    }

    /// Nobody waits for the tasks that it begins, which is what is wrong about them.
    func drip() throws {
        switch mutation {
        case .leaksDescriptors:
            let file = try FileDescriptor.open("/dev/null", .readOnly)
            state.withLock { $0.files.append(file) }
        case .leaksMemory: state.withLock { $0.bytes.append(Array(repeating: 1, count: 16_384)) }
        case .leaksTasks:
            Task { await withCheckedContinuation { waiting in state.withLock { $0.waiting.append(waiting) } } }
        case .leaksSleepers:
            let sleeper = Task { try await time.sleep(for: .seconds(1_000_000)) }
            state.withLock { $0.sleepers.append(sleeper) }
        default: break
        }
    }

    /// Takes everything away again.
    func end() throws {
        let left = state.withLock { state in
            defer { state = State() }
            return state
        }
        for waiting in left.waiting { waiting.resume() }
        for sleeper in left.sleepers { sleeper.cancel() }
        for file in left.files { try file.close() }
    }
}
