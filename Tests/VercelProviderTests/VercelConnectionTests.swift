import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import Testing
import VercelProvider

@Suite struct VercelConnectionTests {
    private func connect(_ variables: [String: String]) -> Result<VercelProvider, Problem> {
        VercelProvider.connect(
            ProviderEnvironment(variables: variables, transport: SimulatedTransport([:]), now: { Timestamp(millisecondsSinceEpoch: 0) }))
    }

    @Test(arguments: [[:], ["VERCEL_TOKEN": ""]]) func aMissingTokenSaysWhatToSetAndWhereToGetOne(_ variables: [String: String]) {
        guard case .failure(let problem) = connect(variables) else {
            Issue.record("connected without a token")
            return
        }
        #expect(problem.reason == "TokenMissing")
        #expect(
            problem.description
                == "vercel: VERCEL_TOKEN is not set; create a token at https://vercel.com/account/settings/tokens and set VERCEL_TOKEN to it"
        )
    }

    @Test func anAddressThatIsNoURLIsRefusedWithoutShowingIt() {
        guard case .failure(let problem) = connect(["VERCEL_TOKEN": "secret-token", "VERCEL_API_URL": "user:secret-token@host"]) else {
            Issue.record("connected to no URL")
            return
        }
        #expect(problem.reason == "BadURL")
        #expect(!problem.description.contains("secret-token"))
    }

    @Test func theTargetIsClaimedByTeamAndProject() {
        #expect(VercelTarget(project: "web", team: "acme").identity == "acme/web")
        #expect(VercelTarget(project: "web").identity == "web")
        #expect(VercelTarget.provider == "vercel")
    }

    @Test(arguments: [(401, "Unauthorized"), (403, "Forbidden")])
    func aRefusedTokenNamesThePermissionAndTheTeamToCheck(_ status: Int, _ reason: String) async throws {
        let stage = try VercelStage.make()
        stage.inject(Fault(.answer(status: status, headers: [:], body: #"{"error":{"code":"forbidden","message":"Not authorized"}}"#)))
        let problem = try #require(await stage.observe().live.problem)
        #expect(problem.reason == reason)
        #expect(problem.message == "vercel/web: \(status) while reading project podcast-web: Not authorized")
        #expect(problem.next?.contains("VERCEL_TOKEN") == true)
        #expect(status == 401 || problem.next?.contains("team acme") == true)
    }

    @Test func anUnknownProjectNamesTheTeamItWasLookedForIn() async throws {
        let stage = try VercelStage.make()
        let problem = try #require(await stage.world.observe(stage.world.missing).live.problem)
        #expect(problem.reason == "NotFound")
        #expect(problem.next == "check the project's name and its team: podcast-wbe was looked for in team acme")
    }

    @Test func aTeamThatTheTokenCannotSeeIsForbidden() async throws {
        let stage = try VercelStage.make()
        var component = stage.world.component
        component.target = VercelTarget(project: "podcast-web", team: "acne")
        let problem = try #require(await stage.world.observe(component).live.problem)
        #expect(problem.reason == "Forbidden")
        #expect(problem.next?.contains("team acne") == true)
    }

    @Test(arguments: [nil, "acme", "team_acme"]) func teamsGoBySlugOrByID(_ team: String?) async throws {
        let stage = try VercelStage.make(team: team == nil ? nil : "acme")
        var component = stage.world.component
        component.target = VercelTarget(project: "podcast-web", team: team)
        #expect(await stage.world.observe(component).live.declared?.id == "dpl_C")
        let (change, intent) = try stage.world.change(after: await stage.world.observe(component))
        guard
            case .accepted = await stage.world.provider.apply(
                change, to: component, ApplyRequest(component: "web", intent: intent, revision: change.resolution.revision))
        else {
            Issue.record("the write did not reach the team")
            return
        }
    }
}
