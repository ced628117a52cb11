import Model
import State

/// One thing that every state store promises. A new clause reaches every store.
public struct StateClause: Sendable, CustomStringConvertible {
    /// The promise, as a sentence.
    public let description: String
    private let check: @Sendable (StateWorld) async throws -> Void

    init(_ description: String, _ check: @escaping @Sendable (StateWorld) async throws -> Void) {
        self.description = description
        self.check = check
    }

    /// Nil when the promise is kept in a fresh world; otherwise what was seen instead.
    public func violation(in world: StateWorld) async throws -> String? {
        do {
            try await check(world)
            return nil
        } catch let violation as Violation {
            return violation.description
        }
    }

    public static let all: [StateClause] = writing + locking + keys
}

extension StateClause {
    static let writing: [StateClause] = [
        StateClause("where nothing was written nothing is remembered") { world in
            let store = world.store("shop")
            try require(try await store.load() == RecordedState(), "something is")
            try require(try await store.history().isEmpty, "there is a history")
            try require(try await store.holder() == nil, "somebody holds it")
        },
        StateClause("what is appended is there, in order, in this session and in every other store") { world in
            let entries: [JournalEntry] = [.accepted, .intent("i1"), .intent("i2", means: ""), .intent("i3")]
            for part in [entries.prefix(2), entries.suffix(2)] {
                let session = try await world.lock()
                for entry in part { try await session.append(entry, at: .example) }
                let state = await session.state
                try require(state.isKnown && state.openIntents[.component("web")] != nil, "the session has \(state)")
                await session.release()
            }
            let history = try await world.store("shop").history()
            try require(history.map(\.entry) == entries, "the history is \(history)")
            try require(history.map(\.sequence) == [1, 2, 3, 4], "the numbers are \(history.map(\.sequence))")
            try require(
                zip(history, history.dropFirst()).allSatisfy { $0.hash == $1.previousHash }, "the chain is broken")
            try require(try await world.store("shop").load() == RecordedState(replaying: history), "it is not what the history amounts to")
        },
        StateClause("reading needs no lock") { world in
            let session = try await world.lock()
            try await session.append(.accepted, at: .example)
            try require(try await world.store("shop").load().isKnown, "nothing is known")
            await session.release()
        },
        StateClause("steps side by side append one after the other") { world in
            let session = try await world.lock()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 { group.addTask { try await session.append(.intent("i\(number)"), at: .example) } }
                try await group.waitForAll()
            }
            await session.release()
            let history = try await world.store("shop").history()
            try require(Set(history.map(\.entry)).count == 20, "\(history.count) are there")
        },
        StateClause("a task that was cancelled still records what it did") { world in
            let session = try await world.lock()
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                try await session.append(.accepted, at: .example)
            }
            task.cancel()
            try await task.value
            await session.release()
            try require(try await world.store("shop").history().count == 1, "it is not there")
        },
        StateClause("a system's journal is its own") { world in
            let session = try await world.lock()
            try await session.append(.accepted, at: .example)
            let other = try await world.lock("bob", "other")
            try require(await other.state == RecordedState(), "another system remembers it")
            try await other.append(.intent("i1"), at: .example)
            try await session.append(.intent("i2"), at: .example)
            await other.release()
            await session.release()
            try require(try await world.store("shop").history().count == 2, "shop has something of other")
            try require(try await world.store("other").history().count == 1, "other has something of shop")
        },
    ]

    static let locking: [StateClause] = [
        StateClause("a second holder is told who the first is") { world in
            let session = try await world.lock()
            let alive = Task {
                while !Task.isCancelled {
                    try await session.renew()
                    try await Task.sleep(for: world.lease / 6)
                }
            }
            let error = await world.refusal()
            alive.cancel()
            try require(error?.code == .locked, "\(String(describing: error))")
            try require(error?.holder == .named("ann"), "it names \(String(describing: error?.holder))")
            let who = "ann@build-7, process 4711 (reconcile --once), since 2026-11-23T00:00:00Z"
            try require(error?.description.contains("is locked by \(who); ") == true, "it says \(String(describing: error))")
            await session.release()
        },
        StateClause("who holds the lock is told without taking it") { world in
            let session = try await world.lock()
            try require(try await world.store("shop").holder() == .named("ann"), "ann is not told")
            try await session.renew()
            await session.release()
            try require(try await world.store("shop").holder() == nil, "somebody is told after the release")
        },
        StateClause("a lock that was given back is free at once; it may be given back twice") { world in
            let session = try await world.lock()
            await session.release()
            await session.release()
            let start = ContinuousClock.now
            try require(await world.refusal() == nil, "it is not free")
            try require(ContinuousClock.now - start < world.lease, "it took the lease")
        },
        StateClause("after its release a session writes nothing") { world in
            let session = try await world.lock()
            await session.release()
            try require(await failure { try await session.append(.accepted, at: .example) } == .lockLost, "it may append")
            try require(try await world.store("shop").history().isEmpty, "it wrote")
        },
        StateClause("patience waits for the holder") { world in
            let session = try await world.lock()
            async let second = world.lock("bob", patience: .seconds(20))
            try await Task.sleep(for: .milliseconds(200))
            try await session.append(.accepted, at: .example)
            await session.release()
            let next = try await second
            try require(await next.state.isKnown, "it does not know what was appended while it waited")
            await next.release()
        },
        StateClause("of many that come at once one is in at a time") { world in
            let inside = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<5 {
                    group.addTask {
                        let session = try await world.lock("u\(number)", patience: .seconds(30))
                        try require(await inside.enter() == 1, "two are in")
                        try await session.append(.intent("i\(number)"), at: .example)
                        await inside.leave()
                        await session.release()
                    }
                }
                try await group.waitForAll()
            }
            try require(try await world.store("shop").history().count == 5, "an entry is missing")
        },
        StateClause("withLock gives it back, also after an error") { world in
            struct Stop: Error {}
            do {
                try await world.store("shop").withLock(.named("ann"), clock: ContinuousClock()) { _ in throw Stop() }
            } catch is Stop {}
            try require(try await world.store("shop").holder() == nil, "somebody holds it")
        },
        StateClause("withLock holds it for longer than its lease") { world in
            try await world.store("shop").withLock(.named("ann"), clock: ContinuousClock()) { session in
                let end = ContinuousClock.now + world.lease * 2
                while ContinuousClock.now < end {
                    try require(await world.refusal()?.code == .locked, "somebody else took it")
                    try await Task.sleep(for: world.lease / 10)
                }
                try await session.append(.accepted, at: .example)
            }
        },
        StateClause("a holder that is gone keeps others out for its lease at most") { world in
            var session: (any StateSession)? = try await world.lock()
            try await session?.append(.accepted, at: .example)
            session = nil
            let start = ContinuousClock.now
            let next = try await world.lock("bob")
            let waited = ContinuousClock.now - start
            try require(waited < world.lease * 2, "it took \(waited)")
            if world.expires { try require(waited > world.lease / 4, "it took only \(waited)") }
            try require(await next.state.isKnown, "its entry is missing")
            await next.release()
        },
        StateClause("a holder that stood still until somebody else had its lock writes nothing more") { world in
            guard world.expires else { return }
            let session = try await world.lock()
            try await session.append(.accepted, at: .example)
            let next = try await world.lock("bob")
            try require(await failure { try await session.append(.intent("late"), at: .example) } == .lockLost, "it appends")
            try require(await failure { try await session.renew() } == .lockLost, "it renews")
            try await next.append(.intent("next"), at: .example)
            await session.release()
            try require(try await world.store("shop").holder() == .named("bob"), "it gave back what it did not have")
            await next.release()
            try require(try await world.store("shop").history().map(\.entry) == [.accepted, .intent("next")], "it is in the journal")
        },
        StateClause("a holder whose lease has ended and whom nobody replaced goes on") { world in
            let session = try await world.lock()
            try await Task.sleep(for: world.lease * 1.5)
            try await session.append(.accepted, at: .example)
            try await session.renew()
            await session.release()
            try require(try await world.store("shop").history().count == 1, "it is not there")
        },
    ]

    static let keys: [StateClause] = [
        StateClause("reading the key makes none") { world in
            try require(try await world.store("shop").hashKey(making: false) == nil, "there is one")
        },
        StateClause("the key is made once, of 32 random bytes, for each system") { world in
            let keys = try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
                for _ in 0..<8 { group.addTask { try await world.store("shop").hashKey(making: true) } }
                return try await group.reduce(into: Set<[UInt8]?>()) { $0.insert($1) }
            }
            try require(keys.count == 1, "there are \(keys.count)")
            let key = keys.first.flatMap(\.self) ?? []
            try require(key.count == 32 && Set(key).count > 8, "it is \(key.count) bytes")
            try require(try await world.store("shop").hashKey(making: false) == key, "it is another one when it is read")
            try require(try await world.store("other").hashKey(making: true) != key, "another system has the same")
        },
    ]
}

private actor Counter {
    private var count = 0

    func enter() -> Int {
        count += 1
        return count
    }

    func leave() { count -= 1 }
}

private func failure(_ body: () async throws -> Void) async -> StateError.Code? {
    do { try await body() } catch { return (error as? StateError)?.code }
    return nil
}
