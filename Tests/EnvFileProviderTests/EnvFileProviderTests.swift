import EnvFileProvider
import FoundationEssentials
import Model
import ProviderKit
import SpecFields
import Synchronization
import TestPrograms
import Testing

/// A directory of its own and a provider for a file in it.
final class Desk: Sendable {
    let place: Place
    private let time = Mutex(Timestamp(millisecondsSinceEpoch: 1_795_392_000_500))

    init() throws { place = try Place() }

    deinit { try? place.remove() }

    var path: String { place.path(".env") }
    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: place.root).sorted()) ?? [] }
    var backups: [String] { names.filter { $0.contains(".belay-backup-") } }

    private var provider: EnvFileProvider {
        EnvFileProvider { [self] in
            time.withLock { time in
                time = time + .seconds(1)
                return time
            }
        }
    }

    func observe(
        _ desired: DesiredConfiguration? = nil, at path: String? = nil, intent: Intent? = nil
    ) async -> Observation {
        await provider.observe(
            EnvFileTarget(path: path ?? self.path),
            ObservationRequest(component: "local", pin: .name("configuration"), openIntent: intent, configuration: desired, keeper: .plain))
    }

    func apply(_ desired: DesiredConfiguration?, at path: String? = nil) async -> ApplyResult {
        let release = Release(label: "configuration", names: [])
        let change = ReleaseChange(from: release, to: release, resolution: .example, route: Intent.example.route)
        return await provider.apply(
            change, to: EnvFileTarget(path: path ?? self.path),
            ApplyRequest(component: "local", intent: .example, revision: .example, configuration: desired, keeper: .plain))
    }

    func mode(_ name: String = ".env") throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: place.path(name))[.posixPermissions] as? Int
    }
}

extension ConfigurationKeeper {
    /// Tells the value, which only a test may.
    static let plain = ConfigurationKeeper { ConfigurationEntry(fingerprint: "\($0)=\($1.reveal())") }
}

extension DesiredConfiguration {
    static func of(_ values: [String: String], exact: Bool = false) -> DesiredConfiguration {
        DesiredConfiguration(
            values: Dictionary(
                uniqueKeysWithValues: values.map {
                    ($0.key, Value(Secret($0.value), isReference: true, fingerprint: "\($0.key)=\($0.value)"))
                }),
            isExact: exact)
    }
}

extension Revision {
    static let example = Revision(.commit, String(repeating: "b", count: 40))
}

extension Resolution {
    static let example = Resolution(
        pin: .name("configuration"), identity: ArtifactIdentity(.deployment, "configuration"), label: "configuration", revision: .example)
}

extension Intent {
    static let example = Intent(
        id: "i1", resource: .component("local"), route: Route(.redeploy, means: "", class: .instant, token: "write", isIdempotent: true),
        resolution: .example, providerTime: nil, written: Timestamp(millisecondsSinceEpoch: 0))
}

extension ApplyResult {
    var facts: [String: String]? {
        guard case .accepted(let facts, _) = self else { return nil }
        return facts
    }

    var problem: Problem? {
        guard case .refused(let problem) = self else { return nil }
        return problem
    }
}

@Suite struct EnvFileProviderTests {
    @Test func itHasOneReleaseForEverAndSettings() async throws {
        let desk = try Desk()
        try desk.place.write(".env", "A=1\nB=$x\n")
        let seen = await desk.observe()
        #expect(seen.live.declared?.label == "configuration")
        #expect(seen.settlement == .settled)
        #expect(seen.candidates.first?.release.names.map(\.value) == ["configuration"])
        #expect(
            seen.configuration?.settings == ["A": ConfigurationEntry(fingerprint: "A=1"), "B": ConfigurationEntry()],
            "what readers do not agree on is told as a value that cannot be read back")
        #expect(seen.configuration?.route == nil)
    }

    @Test func aFileThatIsNotThereIsMadeForItsOwnerAlone() async throws {
        let desk = try Desk()
        let desired = DesiredConfiguration.of(["B": "two words", "A": "1"])
        let before = await desk.observe(desired)
        #expect(before.configuration?.differences == [.init("A", .missing), .init("B", .missing)])
        #expect(before.configuration?.route?.means == "set 2 keys in \(desk.path), which is made")
        #expect(desk.names == [], "observing makes nothing")
        #expect(await desk.apply(desired).facts == ["file": desk.path])
        #expect(try desk.place.read(".env") == "A=1\nB='two words'\n")
        #expect(try desk.mode() == 0o600)
        let after = await desk.observe(desired, intent: .example)
        #expect(after.configuration?.differences == [])
        #expect(after.fate == .tookEffect)
        #expect(desk.names == [".env"], "nothing was there that could be kept")
    }

    @Test func aChangeKeepsTheOldContentOnceAndTheRestByteForByte() async throws {
        let desk = try Desk()
        let old = "# mine\nexport A='1' # one\nOTHER=\"x y\"\nodd\n"
        try desk.place.write(".env", old)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: desk.path)
        let desired = DesiredConfiguration.of(["A": "2"])
        let before = await desk.observe(desired, intent: .example)
        #expect(before.fate == .void)
        #expect(before.notes == ["\(desk.path) can be read by others on this machine; for its owner alone: chmod 600 \(desk.path)"])
        #expect(before.configuration?.route?.cautions.count == 1)
        let facts = try #require(await desk.apply(desired).facts)
        #expect(facts["backup"] == "\(desk.path).belay-backup-20261123T000001Z")
        #expect(try desk.place.read(".env") == old.replacing("'1'", with: "2"))
        #expect(try desk.place.read(".env.belay-backup-20261123T000001Z") == old)
        #expect(try desk.mode() == 0o600)
        #expect(try desk.mode(".env.belay-backup-20261123T000001Z") == 0o600)
        #expect(await desk.apply(desired) == .alreadySo)
        #expect(desk.names.count == 2, "sent again, it writes nothing")
    }

    @Test func aValueThatReadersDisagreeOnIsSetOnce() async throws {
        let desk = try Desk()
        try desk.place.write(".env", "A=two words\n")
        let desired = DesiredConfiguration.of(["A": "two words"])
        #expect(await desk.observe(desired).configuration?.differences == [.init("A", .unverified)])
        #expect(await desk.apply(desired).facts != nil)
        #expect(try desk.place.read(".env") == "A='two words'\n")
        #expect(await desk.observe(desired).configuration?.differences == [])
    }

    @Test func exactRemovesWhatTheSpecDoesNotName() async throws {
        let desk = try Desk()
        try desk.place.write(".env", "# mine\nA=1\nB=2\n")
        let desired = DesiredConfiguration.of(["A": "1"], exact: true)
        let seen = await desk.observe(desired)
        #expect(seen.configuration?.differences == [.init("B", .extra)])
        #expect(seen.configuration?.route?.means == "remove 1 key in \(desk.path)")
        #expect(await desk.apply(desired).facts != nil)
        #expect(try desk.place.read(".env") == "# mine\nA=1\n")
    }

    @Test func theNewestFiveBackupsAreLeft() async throws {
        let desk = try Desk()
        for number in 0...7 { #expect(await desk.apply(.of(["A": "\(number)"])).facts != nil) }
        #expect(try desk.backups.map(desk.place.read) == (2...6).map { "A=\($0)\n" })
    }

    @Test func whatAKilledProcessLeftIsTakenUp() async throws {
        let desk = try Desk()
        try desk.place.write(".env", "A=1\n")
        try desk.place.write(".env.belay-backup-20260101T000000Z", "A=1\n")
        try desk.place.write(".env.belay-new", "A=")
        #expect(await desk.apply(.of(["A": "2"])).facts?["backup"] == desk.path + ".belay-backup-20260101T000000Z")
        #expect(desk.names == [".env", ".env.belay-backup-20260101T000000Z"], "one backup a change, and nothing half written")
    }

    @Test func aLinkIsFollowedAndItsTargetReplaced() async throws {
        let desk = try Desk()
        try desk.place.write("shared/real.env", "A=1\n")
        try FileManager.default.createSymbolicLink(atPath: desk.path, withDestinationPath: "shared/real.env")
        #expect(await desk.apply(.of(["A": "2"])).facts?["file"] == desk.place.path("shared/real.env"))
        #expect(try desk.place.read("shared/real.env") == "A=2\n")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: desk.path) == "shared/real.env")
    }

    @Test(arguments: [
        (".", "NotAFile", "is a directory", "a directory"), ("/dev/null", "NotAFile", "is no regular file", "a device"),
        ("large", "FileTooLarge", "has more than 1 MiB", "too much"),
        ("torn", "FileNotUnderstood", "line 2: its quote ' is never closed", "no env file"),
        ("binary", "FileNotUnderstood", "line 1: it is not UTF-8", "not UTF-8"),
        ("dangling", "LinkBroken", "is a link to a file that is not there", "a link"),
        ("nowhere/.env", "DirectoryMissing", "there is no directory", "no directory"),
        ("torn/.env", "FileUnreadable", "cannot be read", "no directory"),
    ])
    func whatIsNoEnvFileIsToldAndLeftAsItIs(name: String, reason: String, message: String, why: String) async throws {
        let desk = try Desk()
        try desk.place.write("large", String(repeating: "#", count: 1 << 20) + "\n")
        try desk.place.write("torn", "A=hunter2\nB='\n")
        try Data([0xFF, 0xFE]).write(to: URL(filePath: desk.place.path("binary")))
        try FileManager.default.createSymbolicLink(atPath: desk.place.path("dangling"), withDestinationPath: "gone")
        let names = desk.names
        let path = name.hasPrefix("/") ? name : name == "." ? desk.place.root : desk.place.path(name)
        let seen = await desk.observe(.of(["A": "1"]), at: path)
        let problem = try #require(seen.live.problem, "\(why)")
        #expect(problem.reason == reason && problem.message.contains(message), "\(problem)")
        #expect(!problem.description.contains("hunter2"))
        #expect(await desk.apply(.of(["A": "1"]), at: path).problem == problem)
        #expect(desk.names == names)
    }

    @Test func aValueThatCannotBeWrittenIsRefusedBeforeAnythingIs() async throws {
        let desk = try Desk()
        let desired = DesiredConfiguration.of(["A": "it's $ecret", "B": "1"])
        let refusal = try #require(await desk.observe(desired).configuration?.route?.refusal)
        #expect(
            refusal.reason == "ValueNotWritable" && refusal.message.contains(": A cannot be written") && !refusal.message.contains("ecret"))
        #expect(await desk.apply(desired).problem == refusal)
        #expect(desk.names == [])
    }

    @Test(arguments: [
        (".env", ".env"), ("./.env", ".env"), ("specs/../.env", ".env"), ("../.env", "../.env"), ("/a//b/./.env", "/a/b/.env"),
    ])
    func anotherSpellingOfAPathIsTheSameTarget(path: String, identity: String) {
        #expect(EnvFileTarget(path: path).identity == identity)
        #expect(EnvFileTarget(path: path).scope == "envFile", "its one release means the same everywhere")
    }

    @Test func aTargetIsReadBackAsItIsRemembered() throws {
        let target = EnvFileTarget(path: "specs/.env")
        #expect(EnvFileProvider.registration.target(target.text) as? EnvFileTarget == target)
        #expect(!EnvFileProvider.registration.targetKind.hasReleases)
    }
}
