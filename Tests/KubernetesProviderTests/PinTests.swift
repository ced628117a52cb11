import JSONValues
import Model
import Planning
import ProviderKit
import Simulators
import Testing

@testable import KubernetesProvider

struct PinTests {
    private static let commit = "3f2c1ab0d4e5f60718293a4b5c6d7e8f90a1b2c3"
    private static let digest = "sha256:" + String(repeating: "ab", count: 32)

    private static let history: JSON = [
        ["image": .string("registry.test:5000/team/api@\(digest)")],
        ["image": "registry.test:5000/team/api:v1.41.2", "commit": .string(commit)],
        ["image": "registry.test:5000/team/api:main-9e8d7c6"],
        ["image": "registry.test:5000/team/api:20240611", "changeCause": "the day"],
        ["image": "registry.test:5000/team/api:v1.42.0"],
    ]

    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var pin: Pin
        /// Nil: missing.
        var label: String?
        var identity: String?
        var verb: Verb?
        var testDescription: String { why }
    }

    static let cases = [
        Case(
            why: "a tag", pin: .name("v1.41.2"), label: "v1.41.2 (revision 2)", identity: "image:registry.test:5000/team/api:v1.41.2",
            verb: .undo),
        Case(
            why: "a tag, said to be one", pin: .image("v1.41.2"), label: "v1.41.2 (revision 2)",
            identity: "image:registry.test:5000/team/api:v1.41.2"),
        Case(
            why: "a whole image", pin: .name("registry.test:5000/team/api:v1.41.2"), label: "v1.41.2 (revision 2)",
            identity: "image:registry.test:5000/team/api:v1.41.2"),
        Case(
            why: "a digest", pin: .name(digest), label: "sha256:abababababab (revision 1)",
            identity: "image:registry.test:5000/team/api@\(digest)"),
        Case(why: "a revision number", pin: .revision(2), label: "v1.41.2 (revision 2)", verb: .undo),
        Case(why: "digits are a revision before they are a tag", pin: .name("3"), label: "main-9e8d7c6 (revision 3)"),
        Case(why: "digits that are a tag that ran", pin: .name("20240611"), label: "20240611 (revision 4)"),
        Case(why: "digits that nobody knows are no tag: they would be a typo of a revision", pin: .name("17")),
        Case(why: "a tag of digits that never ran, said to be one", pin: .image("17"), label: "17 (not in the history)", verb: .redeploy),
        Case(why: "a commit that an annotation tells", pin: .commit("3f2c1ab"), label: "v1.41.2 (revision 2)"),
        Case(why: "the beginning of a commit as a scalar", pin: .name("3f2c1ab0d4"), label: "v1.41.2 (revision 2)"),
        Case(why: "a commit that the tag ends with", pin: .commit("9e8d7c6"), label: "main-9e8d7c6 (revision 3)"),
        Case(
            why: "more of a commit than the tag tells", pin: .commit("9e8d7c6b5a49382716050f1e2d3c4b5a69788796"),
            label: "main-9e8d7c6 (revision 3)"),
        Case(why: "a date is not a commit", pin: .commit("20240611")),
        Case(why: "a commit that nobody tells of cannot be built here", pin: .commit("abcdef1234")),
        Case(
            why: "a tag that never ran", pin: .name("v1.43.0"), label: "v1.43.0 (not in the history)",
            identity: "image:registry.test:5000/team/api:v1.43.0", verb: .redeploy),
        Case(
            why: "an image of another registry", pin: .image("mirror.test/api:v2"), label: "v2 (not in the history)",
            identity: "image:mirror.test/api:v2",
            verb: .redeploy),
        Case(
            why: "a digest that never ran", pin: .image("sha256:" + String(repeating: "0", count: 64)),
            label: "sha256:000000000000 (not in the history)",
            identity: "image:registry.test:5000/team/api@sha256:" + String(repeating: "0", count: 64)),
        Case(why: "a digest that is too short", pin: .image("sha256:abc")),
        Case(why: "not a tag", pin: .name("v1 or so")),
        Case(why: "a revision that nobody knows", pin: .revision(99)),
        Case(why: "there are no deployments in Kubernetes that a pin could name", pin: .deployment("backend")),
    ]

    @Test(arguments: cases)
    func meansTheReleaseThatItNames(_ item: Case) async throws {
        let cluster = try Cluster([Cluster.workload(["history": Self.history])])
        let observation = await cluster.observe(cluster.component(item.pin))
        #expect(observation.live.declared?.label == "v1.42.0 (revision 5)")
        let resolution = resolve(item.pin, among: observation.candidates)
        guard let label = item.label else {
            #expect(resolution == .missing)
            #expect(observation.candidates.count == 5)
            return
        }
        guard case .resolved(let identity, let found) = resolution else {
            Issue.record("resolved to \(resolution)")
            return
        }
        #expect(found == label)
        if let expected = item.identity { #expect(identity.description == expected) }
        if let verb = item.verb { #expect(observation.candidates.first { $0.release.label == label }?.routes.map(\.verb) == [verb]) }
    }

    @Test func historyTellsNothingThatDidNotRun() async throws {
        let cluster = try Cluster([Cluster.workload(["history": Self.history])])
        let observation = await cluster.observe(cluster.component(.name("v1.43.0")), depth: .history)
        #expect(observation.candidates.count == 5)
        #expect(observation.candidates.map(\.release.note) == [nil, "the day", nil, nil, nil])
    }

    @Test func onlyAnImageThatNeverRanHereHasTheCaution() async throws {
        let cluster = try Cluster([Cluster.workload(managedBy: "belay", ["history": Self.history])])
        for (pin, cautions) in [
            (Pin.name("v1.43.0"), ["nothing here has ever run this image; whether it exists is not known"]), (.name("20240611"), []),
        ] {
            let change = await cluster.observe(cluster.component(pin)).change(to: pin.description, pin: pin)
            #expect(change?.route.cautions == cautions)
        }
    }

    // MARK: - Change causes

    /// Applies or undoes to a tag, as a pass does.
    private func go(_ cluster: Cluster, _ tag: String, _ target: KubernetesTarget = Cluster.target) async throws {
        let component = cluster.component(.name(tag), target: target)
        _ = await cluster.apply(try #require(await cluster.observe(component).change(to: tag, pin: component.release)), component)
        cluster.clock.advance(by: .seconds(60))
    }

    private func notes(_ cluster: Cluster, _ target: KubernetesTarget = Cluster.target) async -> [String?] {
        await cluster.observe(cluster.component(.name("v1.41.3"), target: target), depth: .history).candidates.map(\.release.note)
    }

    @Test(arguments: [Workload.deployment("backend"), .statefulSet("backend"), .daemonSet("backend")])
    func anImageThatIsAppliedAloneDoesNotTakeTheNoteOfTheReleaseBefore(_ workload: Workload) async throws {
        let kind = workload.kind == .deployment ? "Deployment" : workload.kind == .statefulSet ? "StatefulSet" : "DaemonSet"
        let target = KubernetesTarget(namespace: "prod", workload)
        let cluster = try Cluster([Cluster.workload(kind: kind, images: ["v1.41.2", "v1.41.3"])])
        #expect(await notes(cluster, target) == ["release v1.41.3", "release v1.41.2"])
        try await go(cluster, "v1.42.0", target)
        let copied = await cluster.simulator.world["objects"]?.elements.filter {
            $0["kind"]?.string == (kind == "Deployment" ? "ReplicaSet" : "ControllerRevision")
                && $0["metadata"]?["annotations"]?["kubernetes.io/change-cause"] == "release v1.41.3"
        }
        #expect(copied?.count == 2, "the cluster has copied it")
        #expect(await notes(cluster, target) == [nil, "release v1.41.3", "release v1.41.2"])
        try await go(cluster, "v1.43.0", target)
        #expect(await notes(cluster, target) == [nil, nil, "release v1.41.3", "release v1.41.2"])
    }

    @Test func whatWasUndoneKeepsItsNoteAndDoesNotLendIt() async throws {
        let cluster = try Cluster([Cluster.workload(images: ["v1.41.2", "v1.41.3"])])
        try await go(cluster, "v1.41.2")
        #expect(await notes(cluster) == ["release v1.41.2", "release v1.41.3"])
        try await go(cluster, "v1.42.0")
        #expect(await notes(cluster) == [nil, "release v1.41.2", "release v1.41.3"])
        try await go(cluster, "v1.41.2")
        #expect(await notes(cluster) == ["release v1.41.2", nil, "release v1.41.3"])
    }

    @Test func theSameImageMayHaveTheSameNote() async throws {
        let history: JSON = ["1", "2"].map { number -> JSON in
            ["image": "registry.test/api:v1", "changeCause": "the settings", "env": ["RELEASE": .string(number)], "container": "api"]
        }.reduce(into: JSON.array([])) { $0 = .array($0.elements + [$1]) }
        let cluster = try Cluster([Cluster.workload(["history": history])])
        #expect(await notes(cluster) == ["the settings", "the settings"])
    }

    @Test func aRevisionKeepsItsFormerNumbers() async throws {
        let cluster = try Cluster([Cluster.workload()])
        let component = cluster.component(.revision(1))
        let change = try #require(await cluster.observe(component).change(to: "1", pin: component.release))
        _ = await cluster.apply(change, component)
        cluster.clock.advance(by: .seconds(60))
        let observation = await cluster.observe(component)
        #expect(observation.live.declared?.label == "v1.41.2 (revision 4)")
        guard case .resolved(let identity, _) = resolve(.revision(1), among: observation.candidates) else {
            Issue.record("revision 1 is not found")
            return
        }
        #expect(identity == change.resolution.identity)
    }

    @Test func anImageThatWasResolvedBeforeIsStillTheOneToGoTo() async throws {
        let cluster = try Cluster([Cluster.workload()])
        let resolution = Resolution(
            pin: .name("v1.40.0"), identity: ArtifactIdentity(.image, "old.registry.test/api:v1.40.0"), label: "v1.40.0", revision: .test)
        let observation = await cluster.observe(cluster.component(.name("v1.40.0")), resolution: resolution)
        let candidate = observation.candidates.first { $0.release.matches(resolution) }
        #expect(candidate?.routes.map(\.means) == ["server-side apply of old.registry.test/api:v1.40.0"])
    }

    @Test func aRevisionThatWasCleanedUpSaysSo() async throws {
        let cluster = try Cluster([Cluster.workload(["revisionHistoryLimit": 1])])
        let resolution = Resolution(
            pin: .revision(1), identity: ArtifactIdentity(.template, "gone"), label: "v1.41.2 (revision 1)", revision: .test)
        let observation = await cluster.observe(cluster.component(.revision(1)), resolution: resolution)
        let candidate = try #require(observation.candidates.first { $0.release.matches(resolution) })
        #expect(candidate.routes.isEmpty)
        #expect(
            candidate.gone?.description == "deployment backend in namespace prod keeps 1 old revision, and this one was cleaned up; "
                + "pin its image instead: the image alone is then applied")
    }

    @Test(
        arguments: [
            ("registry.test:5000/team/api", "registry.test:5000/team/api", nil, nil),
            ("registry.test:5000/team/api:v1", "registry.test:5000/team/api", "v1", nil),
            ("api:v1@sha256:ab", "api", "v1", "sha256:ab"), ("api@sha256:ab", "api", nil, "sha256:ab"),
        ] as [(String, String, String?, String?)])
    func anImageIsTakenApart(_ text: String, _ repository: String, _ tag: String?, _ digest: String?) {
        let image = ImageReference(text)
        #expect(image == ImageReference(repository: repository, tag: tag, digest: digest))
        #expect(image.description == text)
    }

    @Test(
        arguments: [
            ("3f2c1ab", "3f2c1ab"), ("v1.2-3f2c1ab", "3f2c1ab"), ("v1.2-4-g3f2c1ab", "3f2c1ab"), ("main.3f2c1ab9", "3f2c1ab9"),
            (commit, commit), ("20240611", nil), ("v1.41.3", nil), ("defaced", nil), ("release-2024", nil), ("1234567", nil),
            ("0123456789012345678901234567890123456789", "0123456789012345678901234567890123456789"), ("v1-g3f2c1", nil),
        ] as [(String, String?)])
    func aCommitIsReadFromATag(_ tag: String, _ commit: String?) {
        #expect(CommitReading.commit(ofTag: tag) == commit)
    }
}
