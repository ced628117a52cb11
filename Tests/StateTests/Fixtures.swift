import FoundationEssentials
import Model
import Synchronization

@testable import State

/// A directory of its own, removed with the last reference.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/belay-state-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func store(_ name: String = "shop", lease: Duration = .seconds(30)) -> DirectoryStateStore {
        DirectoryStateStore(StateDirectory(root: path, system: SystemID(name: name)), lease: lease)
    }
}

func bytes(of path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }

func lines(of path: String) throws -> [String] {
    String(decoding: try bytes(of: path), as: UTF8.self).split(separator: "\n").map(String.init)
}

func write(_ bytes: [UInt8], to path: String) throws { try Data(bytes).write(to: URL(filePath: path)) }

func mode(of path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
}

/// Passes the time that anybody sleeps at once, and runs something after each sleep.
final class ImpatientClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let time = Mutex(Instant(offset: .zero))
    private let afterSleep: @Sendable (Duration) -> Void

    init(afterSleep: @escaping @Sendable (Duration) -> Void = { _ in }) { self.afterSleep = afterSleep }

    var now: Instant { time.withLock { $0 } }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        time.withLock { $0 = max($0, deadline) }
        afterSleep(now.offset)
        await Task.yield()
    }
}

extension Timestamp {
    static let example = Timestamp(millisecondsSinceEpoch: 1_795_392_000_000)
}

extension LockHolder {
    static func make(user: String = "ann", boot: String = "boot-1", pid: Int = 4711) -> LockHolder {
        LockHolder(user: user, host: "build-7", boot: boot, pid: pid, command: "reconcile --once", since: .example)
    }
}

extension Revision {
    static func make(_ digit: Character = "a") -> Revision { Revision(.commit, String(repeating: digit, count: 40)) }
}

extension Resolution {
    static func make(_ name: String = "v2", lineage: [String] = []) -> Resolution {
        Resolution(
            pin: .name(name), identity: ArtifactIdentity(.image, name), lineage: lineage.map { ArtifactIdentity(.deployment, $0) },
            label: name, revision: .make())
    }
}

extension Intent {
    static func make(_ id: String = "i1", _ resource: ResourceID = .component("web"), _ release: String = "v2") -> Intent {
        Intent(
            id: id, resource: resource, route: Route(.undo, means: "rollback", class: .instant, token: release, isIdempotent: false),
            resolution: .make(release), providerTime: .example, written: .example)
    }
}

extension ReleaseRecord {
    static func make(_ resolution: Resolution = .make(), _ quality: Quality = .servedUnverified) -> ReleaseRecord {
        ReleaseRecord(resolution: resolution, quality: quality, reached: .example)
    }
}

extension Transition {
    static func make(
        _ id: String = "t1", target: [ResourceID: Resolution] = [.component("web"): .make()],
        obligations: [Obligation] = [.check(.component("web"))]
    ) -> Transition {
        Transition(
            id: id, revision: .make(), start: [:], target: target, directions: [:], obligations: obligations, opened: .example)
    }
}

/// One entry of every kind, in an order in which they may follow one another.
let oneOfEach: [JournalEntry] = [
    .accepted(
        .init(revision: .make("1"), resolutions: [.component("web"): .make("v1")], releases: [.component("web"): .make(.make("v1"))])),
    .opened(.init(transition: .make(), resolutions: [.component("web"): .make()])),
    .intent(.make()),
    .receipt(.init(.make(), .accepted, facts: ["deployment": "dpl_1"])),
    .receipt(.init(.make(), .tookEffect)),
    .fence(.init(.component("web"), .raising, .make())),
    .fence(.init(.component("web"), .raised, .make())),
    .stop(.init(.component("web"), .stopping, .make())),
    .stop(.init(.component("web"), .stopped, .make())),
    .drift(.make()),
    .reached(.init(.component("web"), .make())),
    .paid(.init(transition: "t1", .check(.component("web")), releases: [.component("web"): .make(.make(), .good)])),
    .closed(.init(transition: "t1", releases: [.component("web"): .make(.make(), .good)])),
]

extension Fence {
    static func make(_ previous: String = "commit") -> Fence {
        Fence(name: "autoDeploy", previous: previous, set: "no", target: #"{"service":"srv-1"}"#, provider: "render")
    }
}

extension Stop {
    static func make() -> Stop { Stop(memory: "3", means: "scale from 3 to 0", target: #"{"namespace":"prod"}"#, provider: "kubernetes") }
}

extension Drift {
    static func make(_ cause: String? = "push of 9f2c1ab") -> Drift {
        Drift(
            resource: .component("web"), expected: "v2", found: "v3", identity: ArtifactIdentity(.image, "v3"), cause: cause)
    }
}
