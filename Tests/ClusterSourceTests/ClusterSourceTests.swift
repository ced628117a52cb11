import ClusterSource
import HTTPCore
import JSONValues
import KubernetesAPI
import Model
import Sources
import Synchronization
import TestDoubles
import Testing

/// Lists and watches, against answers that a test gives; in virtual time.
@Suite(.timeLimit(.minutes(1))) struct ClusterSourceTests {
    /// Runs the source for a while of virtual time; returns what each holding was, with the seconds: `shop/a@1, shop/b@2`.
    private static func holdings(_ api: FakeAPI, for length: Duration = .seconds(60), namespaces: [String] = []) async throws -> [String] {
        let time = VirtualTime()
        let source = ClusterSource(try api.client, namespaces: namespaces, clock: time)
        let told = Told()
        await time.run {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await source.run() }
                group.addTask { await tell(source, time, told) }
                group.addTask { do { try await time.sleep(for: length) } catch {} }
                // The other two have no end.
                await group.next()
                group.cancelAll()
            }
        }
        return told.lines.withLock { $0 }
    }

    private final class Told: Sendable {
        let lines = Mutex<[String]>([])
    }

    private static func tell(_ source: ClusterSource, _ time: VirtualTime, _ told: Told) async {
        while !Task.isCancelled {
            let words = await words(source)
            if Task.isCancelled { return }
            told.lines.withLock { $0.append("\(time.now.offset.components.seconds) \(words)") }
            do { try await source.change() } catch { return }
        }
    }

    private static func words(_ source: ClusterSource) async -> String {
        do throws(SourceError) {
            let holding = try await source.holding()
            let parts = holding.parts.map { part -> String in
                guard case .success(let snapshot) = part.result else { return "\(part.origin) unreadable" }
                let leaving = snapshot.leaving.map { " \($0)" } ?? ""
                return "\(part.origin)@\(snapshot.revision.generation ?? 0)\(snapshot.adopts ? " adopts" : "")\(leaving)"
            }
            return (parts + holding.troubles.map(\.message)).joined(separator: ", ")
        } catch {
            return error.message
        }
    }

    @Test func objectsAreReadPageByPageAndWatchedFromThere() async throws {
        let api = FakeAPI(lists: [
            .list([.system("a", version: 3)], version: 9, next: "more"), .list([.system("b", generation: 2, version: 4)], version: 9),
        ])
        #expect(try await Self.holdings(api) == ["0 shop/a@1, shop/b@2"])
        #expect(
            api.requests == [
                "GET /apis/belay.dev/v1alpha1/systems?labelSelector=%21belay.dev%2Fmirror&limit=500",
                "GET /apis/belay.dev/v1alpha1/systems?labelSelector=%21belay.dev%2Fmirror&limit=500&continue=more",
                "WATCH /apis/belay.dev/v1alpha1/systems?watch=true&allowWatchBookmarks=true&resourceVersion=9"
                    + "&labelSelector=%21belay.dev%2Fmirror&timeoutSeconds=290",
            ])
    }

    @Test func onlyWhatIsWantedIsNews() async throws {
        let status: JSON = .event("MODIFIED", .system("a", version: 10, status: ["phase": "InSync"]))
        let labels: JSON = .event("MODIFIED", .system("a", version: 11, metadata: ["labels": ["team": "shop"]]))
        let spec: JSON = .event("MODIFIED", .system("a", "v2", generation: 2, version: 12))
        let adopted: JSON = .event(
            "MODIFIED", .system("a", "v2", generation: 2, version: 13, metadata: ["annotations": ["belay.dev/adopt": "true"]]))
        let quiet = FakeAPI(lists: [.list([.system("a", version: 3)], version: 9)], watches: [.stays([status, labels])])
        #expect(try await Self.holdings(quiet) == ["0 shop/a@1"])
        let api = FakeAPI(
            lists: [.list([.system("a", version: 3)], version: 9)],
            watches: [.ends([status, spec]), .ends([adopted]), .stays([.event("DELETED", .system("a", version: 14))])])
        let told = try await Self.holdings(api)
        #expect(told.last == "0 ", "\(told)")
        #expect(told.contains("0 shop/a@2") || told.contains("0 shop/a@2 adopts") || told.count == 2, "\(told)")
    }

    @Test(arguments: [
        ([FakeAPI.Watch.ends([.bookmark(40)]), .stays([])], ["9", "40"], 1, "a bookmark tells where the next watch begins"),
        (
            [.breaks([.event("ADDED", .system("b", version: 12))]), .stays([])], ["9", "12"], 1,
            "a broken connection is taken up where it was"
        ),
        ([.ends([.bookmark(20), .gone]), .stays([])], ["9", "30"], 2, "what is too old is listed anew"),
        ([.refused(410, ["kind": "Status", "code": 410]), .stays([])], ["9", "30"], 2, "and so is what was too old at once"),
    ])
    func aWatchThatEndsIsGoneOnWith(watches: [FakeAPI.Watch], versions: [String], lists: Int, why: String) async throws {
        let api = FakeAPI(
            lists: [.list([.system("a", version: 3)], version: 9), .list([.system("a", version: 3)], version: 30)], watches: watches)
        let told = try await Self.holdings(api)
        let begun = api.requests.filter { $0.hasPrefix("WATCH") }.compactMap { request in
            request.split(separator: "&").first { $0.hasPrefix("resourceVersion=") }.map { String($0.dropFirst(16)) }
        }
        #expect(begun == versions, "\(why)")
        #expect(api.requests.filter { $0.hasPrefix("GET") }.count == lists, "\(why)")
        #expect(!told.contains { $0.contains("no answer") }, "\(why): \(told)")
    }

    @Test func whatWasThereIsKeptWhileNobodyAnswers() async throws {
        let api = FakeAPI(
            lists: [.list([.system("a", version: 3)], version: 9)],
            watches: [
                .breaks([.bookmark(10)]), .noAnswer, .noAnswer, .stays([.event("MODIFIED", .system("a", generation: 2, version: 11))]),
            ])
        let told = try await Self.holdings(api)
        #expect(told.first == "0 shop/a@1")
        #expect(told.dropFirst().first?.contains("shop/a@1, no answer while watching systems.belay.dev") == true, "\(told)")
        #expect(told.last?.hasSuffix("shop/a@2") == true, "\(told)")
    }

    @Test func aServerThatEndsEveryWatchAtOnceIsNotAskedInALoop() async throws {
        let api = FakeAPI(
            lists: [.list([], version: 9)], watches: Array(repeating: .ends([]), count: 1000))
        _ = try await Self.holdings(api, for: .seconds(600))
        #expect((10...60).contains(api.requests.count), "\(api.requests.count) requests in ten minutes")
    }

    @Test(arguments: [
        (
            HTTPResponse.status(404, "NotFound", "the server could not find the requested resource"), "knows no Systems",
            "the definition is missing"
        ),
        (.status(403, "Forbidden", "no"), "grant user u the verb list on systems.belay.dev in the cluster", "a verb is missing"),
    ])
    func whatCannotBeReadSaysWhatToDoAndIsTriedAgain(answer: HTTPResponse, words: String, why: String) async throws {
        let api = FakeAPI(lists: [answer, answer, .list([.system("a", version: 3)], version: 9)])
        let told = try await Self.holdings(api)
        #expect(told.count == 2, "\(why): \(told)")
        #expect(told.first?.contains(words) == true, "\(why): \(told)")
        #expect(told.last?.hasSuffix(" shop/a@1") == true, "\(why): \(told)")
    }

    @Test(arguments: [
        ([JSON](), [String: JSON](), "0 ", "nothing must be undone: it is gone"),
        (["belay.dev/fences"], [:], "0 shop/a@2 restoringFences", "its fences come down first"),
        (["belay.dev/fences"], ["belay.dev/leave-fences": "true"], "0 shop/a@2 leavingFences", "or somebody says not to"),
        (["other.example/x"], [:], "0 ", "others' finalizers are not ours"),
    ])
    func anObjectThatIsDeletedLeaves(finalizers: [JSON], annotations: [String: JSON], told: String, why: String) async throws {
        let metadata: [String: JSON] = [
            "deletionTimestamp": "2026-11-30T11:00:00Z", "finalizers": .array(finalizers),
            "annotations": .object(JSONObject(annotations.map { (key: $0.key, value: $0.value) })),
        ]
        let api = FakeAPI(lists: [.list([.system("a", generation: 2, version: 3, metadata: metadata)], version: 9)])
        #expect(try await Self.holdings(api).last == told, "\(why)")
    }

    @Test func namespacesAreWatchedEachForItself() async throws {
        let api = FakeAPI(lists: [.list([.system("a", version: 3)], version: 9)])
        _ = try await Self.holdings(api, namespaces: ["shop", "blog"])
        let paths = Set(api.requests.compactMap { $0.split(separator: "?").first.map(String.init) })
        #expect(
            paths == [
                "GET /apis/belay.dev/v1alpha1/namespaces/blog/systems", "GET /apis/belay.dev/v1alpha1/namespaces/shop/systems",
                "WATCH /apis/belay.dev/v1alpha1/namespaces/blog/systems", "WATCH /apis/belay.dev/v1alpha1/namespaces/shop/systems",
            ])
    }

    @Test(arguments: [
        ("u/1", "u/2", RevisionRelation.ancestor, "a later generation"), ("u/2", "u/1", .descendant, "an earlier one"),
        ("u/2", "u/2", .same, "the same"), ("u/7", "w/1", .diverged, "another object of the same name"),
    ])
    func generationsOfOneObjectFollowEachOther(older: String, newer: String, relation: RevisionRelation, why: String) async throws {
        let source = ClusterSource(try FakeAPI(lists: []).client)
        #expect(try await source.relation(of: Revision(.generation, older), to: Revision(.generation, newer)) == relation, "\(why)")
        #expect(try await source.relation(of: Revision(.commit, "abc"), to: Revision(.generation, newer)) == .unknown)
    }
}
