import Model
import Planning
import Testing

@Suite struct RouteTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var why: String
        var candidates: [Candidate]
        var records: [ReleaseRecord] = []
        /// The token of the route that is taken.
        var takes: String?
        var refusedWith: String?
        var testDescription: String { why }
    }

    /// A deployment of the pinned artifact.
    static func copy(_ label: String, created: Int64? = nil, _ routes: Route...) -> Candidate {
        Candidate(
            .make(
                label,
                names: [
                    ReleaseName(.deployment, label, denotes: ArtifactIdentity(.deployment, label)),
                    ReleaseName(.image, "v2", denotes: .make("v2")),
                ], created: .some(created)), routes: routes)
    }

    static func good(_ deployment: String) -> ReleaseRecord {
        var record = ReleaseRecord.make("v2")
        record.resolution.identity = ArtifactIdentity(.deployment, deployment)
        return record
    }

    static let instant = Route.make(token: "instant")
    static let build = Route.make(.redeploy, means: "rebuild", class: .minutes, token: "build")
    static let never = Route.make(.undo, class: .instant, token: "never", refusal: .make("NoInstant"))
    static let notBuilt = Route.make(.redeploy, class: .minutes, token: "not-built", refusal: .make("NoBuild"))

    static let cases: [Case] = [
        Case(why: "the cheapest", candidates: [copy("d1", build, instant)], takes: "instant"),
        Case(why: "of all copies, the cheapest", candidates: [copy("d2", build), copy("d1", instant)], takes: "instant"),
        Case(why: "what is refused is not taken, though it were cheaper", candidates: [copy("d1", never, build)], takes: "build"),
        Case(
            why: "of equals, the newest, as listed", candidates: [copy("d2", .make(token: "second")), copy("d1", .make(token: "first"))],
            takes: "second"),
        Case(
            why: "of equals, the newest, by the provider's clock",
            candidates: [copy("d1", created: 1, .make(token: "first")), copy("d2", created: 2, .make(token: "second"))], takes: "second"),
        Case(
            why: "of equals, one that is recorded good goes before the newest",
            candidates: [copy("d2", .make(token: "second")), copy("d1", .make(token: "first"))], records: [good("d1")], takes: "first"),
        Case(
            why: "cheaper goes before recorded good", candidates: [copy("d2", instant), copy("d1", build)], records: [good("d1")],
            takes: "instant"),
        Case(
            why: "all refused: the refusal of the cheapest is told", candidates: [copy("d2", notBuilt), copy("d1", never)],
            refusedWith: "NoInstant"),
        Case(
            why: "gone: told with its own reason", candidates: [Candidate(copy("d1").release, routes: [], gone: .make("ImageDeleted"))],
            refusedWith: "ImageDeleted"),
    ]

    @Test(arguments: cases) func theCheapestWayThatMayBeWalkedIsTaken(_ one: Case) {
        var observation = Observation.make(live: "v3", among: ["v3"])
        observation.candidates += one.candidates
        let plan = plan(
            .make([.make("web", pins: .image("v2"))]), revision: .make(), observed: .make(["web": observation]),
            recorded: RecordedState(isKnown: true, releases: [.component("web"): one.records]))
        let changes = plan.steps.compactMap { step -> ReleaseChange? in
            guard case .release(let change) = step.action else { return nil }
            return change
        }
        #expect(changes.map(\.route.token) == [one.takes].compactMap(\.self))
        #expect(plan.blocked.map(\.problem.reason) == [one.refusedWith].compactMap(\.self))
        #expect(plan.blocked.allSatisfy { $0.kind == .decision })
    }

    @Test func aReleaseThatIsGoneIsToldWithTheNearestOnes() throws {
        var observation = Observation.make(live: "v6", among: ["v6", "v5", "v4", "v3", "v2", "v1"])
        observation.candidates[4].routes = []
        observation.candidates[4].gone = Problem("ImageDeleted", "its image was deleted", next: "push it again")
        let plan = plan(
            .make([.make("web", pins: .name("v2"))]), revision: .make(), observed: .make(["web": observation]), recorded: RecordedState())
        let problem = try #require(plan.blocked.first).problem
        #expect(problem.message == "component/web: v2 cannot be reached any more: its image was deleted")
        #expect(problem.next == "push it again; nearest that can be reached: v3, v1, v4 and 2 more")
    }

    @Test func theStepTakesItsClassFromTheRouteAndItsCautionsWithIt() throws {
        var observation = Observation.make(live: "v3", among: ["v3"])
        observation.candidates.append(
            Self.copy("dpl_2", .make(.redeploy, means: "rebuild", class: .minutes, cautions: ["switches auto-assignment off"])))
        let plan = plan(
            .make([.make("web", pins: .image("v2"))]), revision: .make(), observed: .make(["web": observation]), recorded: RecordedState())
        let step = try #require(plan.steps.first { $0.action.isWrite })
        #expect(step.class == .minutes)
        #expect(step.summary == "web: redeploy dpl_2 (rebuild)")
        #expect(step.details.first == "from v3 to dpl_2")
        #expect(step.details.last == "caution: switches auto-assignment off")
        #expect(step.deadline == .seconds(600))
    }
}
