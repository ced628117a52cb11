import FoundationEssentials
import Model
import Testing

@testable import State

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What only shows between processes.
struct ProcessTests {
    private let directory: TemporaryDirectory
    private let store: DirectoryStateStore

    init() throws {
        directory = try TemporaryDirectory()
        store = directory.store()
    }

    @Test func aKilledHolderIsFreeAtOnceAndItsEntriesAreThere() async throws {
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = store.directory.path as String] in
            let store = DirectoryStateStore(StateDirectory(path: path))
            let session = try await store.lock(.make(), patience: .zero, clock: ContinuousClock())
            try await session.append(.intent(.make()), at: .example)
            kill(getpid(), SIGKILL)
        }
        let clock = ImpatientClock()
        #expect(try !bytes(of: store.directory.lock).isEmpty)
        let session = try await store.lock(.make(), patience: .zero, clock: clock)
        #expect(await session.state.openIntents.count == 1)
        #expect(clock.now.offset == .zero)
        await session.release()
    }

    @Test func anotherProcessIsKeptOut() async throws {
        let session = try await store.lock(.make(), patience: .zero, clock: ContinuousClock())
        await #expect(processExitsWith: .exitCode(3)) { [path = store.directory.path as String] in
            let store = DirectoryStateStore(StateDirectory(path: path))
            do throws(StateError) {
                _ = try await store.lock(.make(user: "bob"), patience: .zero, clock: ContinuousClock())
            } catch {
                exit(error.code == .locked && error.holder == .make() ? 3 : 4)
            }
        }
        await session.release()
    }

    @Test func aFullDiskIsSaidBeforeAnythingIsSent() async throws {
        let session = try await store.lock(.make(), patience: .zero, clock: ContinuousClock())
        try await session.append(oneOfEach[0], at: .example)
        await session.release()
        let length = try bytes(of: store.directory.journal).count
        await #expect(processExitsWith: .exitCode(28)) { [path = store.directory.path as String] in
            let store = DirectoryStateStore(StateDirectory(path: path))
            let session = try await store.lock(.make(), patience: .zero, clock: ContinuousClock())
            // The journal may grow by a hundred bytes: the line is torn in its middle, as on a disk that fills up.
            signal(SIGXFSZ, SIG_IGN)
            let size = try bytes(of: store.directory.journal).count
            var limit = rlimit(rlim_cur: rlim_t(size + 100), rlim_max: rlim_t(size + 100))
            guard setrlimit(__rlimit_resource_t(1), &limit) == 0 else { exit(1) }
            do throws(StateError) {
                try await session.append(.intent(.make()), at: .example)
            } catch {
                guard error.code == .noSpace, error.next == "make room there, or keep the state elsewhere with --state DIR" else { exit(2) }
                do throws(StateError) { try await session.append(.intent(.make()), at: .example) } catch { exit(28) }
            }
            exit(3)
        }
        #expect(try bytes(of: store.directory.journal).count == length + 100)
        #expect(try await store.history().map(\.entry) == [oneOfEach[0]])
        let next = try await store.lock(.make(), patience: .zero, clock: ContinuousClock())
        #expect(try bytes(of: store.directory.journal).count == length)
        await next.release()
    }
}
