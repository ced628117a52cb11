internal import JSONValues
internal import KubernetesAPI
internal import Model
internal import State

/// The state of one system in a cluster: an object of its own, so that all who reach the cluster share it, and nothing else is needed.
///
/// Lock and journal are in one object: whoever appends names the version that it knows, and the API server refuses any other. A holder that
/// was replaced can write nothing more, whatever its clock says. Only durations are compared, each measured by one clock.
struct ClusterStateStore: StateStore {
    let objects: StateObjects
    let lease: Duration
    let memory: JournalMemory
    /// Lines of more bytes than that are moved out of the head.
    var headLimit = 32 << 10

    init(_ objects: StateObjects, lease: Duration, memory: JournalMemory) {
        self.objects = objects
        self.lease = lease
        self.memory = memory
    }

    func load() async throws(StateError) -> RecordedState {
        guard let head = try await objects.readHead() else {
            memory.forget(objects.key)
            return RecordedState()
        }
        if let known = memory.free(objects.key, at: head.version) { return known.journal.state }
        return try await objects.position(of: head, memory).journal.state
    }

    func history() async throws(StateError) -> [JournalRecord] {
        guard let head = try await objects.readHead() else { return [] }
        return try await objects.records(of: head)
    }

    func hashKey(making: Bool) async throws(StateError) -> [UInt8]? {
        // What a pass has read when it took the lock need not be read again.
        if let known = memory.hashKey(objects.key) { return try bytes(of: known) }
        if let head = try await objects.readHead() { return try bytes(of: head.key) }
        guard making else { return nil }
        let chain = Self.newChain()
        do throws(KubernetesError) {
            _ = try await objects.createHead(Head.members(chain: chain, key: Self.newKey(), hold: nil))
        } catch {
            // Somebody else was first, or the answer was lost: what is there then counts.
            guard error.reason == "AlreadyExists" || error.mayHaveTakenEffect else {
                throw StateError(error, "cannot take its key", objects)
            }
        }
        guard let head = try await objects.readHead() else {
            throw StateError(.unreachable, "the state in \(objects.place) could not be made: it is not there", next: "try again")
        }
        return try bytes(of: head.key)
    }

    func holder() async throws(StateError) -> LockHolder? { try await objects.readHead()?.hold?.holder }

    func lock(_ holder: LockHolder, patience: Duration, clock: any Clock<Duration>) async throws(StateError) -> any StateSession {
        let hold = Hold(id: Hold.newID(), lease: lease, holder: holder)
        let taking = HoldTaking(objects: objects, memory: memory, hold: hold)
        let position = try await taking.take(patience: patience, Stopwatch(clock))
        return ClusterSession(objects, hold: hold, position: position, limit: headLimit, memory: memory, clock: clock)
    }

    static func newChain() -> String { String(UInt32.random(in: 0x1000_0000 ... .max), radix: 36) }

    static func newKey() -> String {
        (0..<4).map { _ in
            let digits = String(UInt64.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    private func bytes(of key: String) throws(StateError) -> [UInt8] {
        let digits = key.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == 64, key.utf8.count == 64 else {
            throw StateError(
                .failed, "the key of the \(objects.place) is not one of 64 hexadecimal digits",
                next: "restore it from a backup; or write another one there, then configuration values are compared anew")
        }
        return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
