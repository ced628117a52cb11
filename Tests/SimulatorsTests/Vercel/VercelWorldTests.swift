import JSONValues
import Simulators
import Testing

@Suite struct VercelWorldTests {
    private func error(_ world: JSON) -> String? {
        do throws(WorldError) {
            _ = try VercelSimulator(world: world, clock: ManualClock(), token: "t")
            return nil
        } catch {
            return error.description
        }
    }

    @Test(
        arguments: [
            (["plan": "free"], "vercel.plan: expected one of hobby, pro, enterprise, found free"),
            (
                ["project": []],
                "vercel.project: unknown; expected one of plan, unauthorized, rateLimits, sensitiveEnvironmentVariablePolicy, projects, edgeConfigs"
            ),
            (["projects": "web"], "vercel.projects: expected a list"),
            (["edgeConfigs": [["id": "flags"]]], "vercel.edgeConfigs[0].id: expected an id that begins with ecfg_, found flags"),
            (["edgeConfigs": [["id": "ecfg_a", "items": []]]], "vercel.edgeConfigs[0].items: expected a mapping from keys to values"),
            (
                ["edgeConfigs": [["id": "ecfg_a", "items": ["a b": 1]]]],
                "vercel.edgeConfigs[0].items: expected keys of letters, digits, - and _, found a b"
            ),
            (["edgeConfigs": [["id": "ecfg_a", "missing": 500]]], "vercel.edgeConfigs[0].missing: expected 204 or 404"),
            (["projects": [["team": "acme"]]], "vercel.projects[0].name: expected the project's name"),
            (
                ["projects": [["name": "web"], ["name": "web"]]],
                "vercel.projects[1].name: expected a name that no other project of its team has, found web"
            ),
            (
                ["projects": [["name": "web", "production": "dpl_X"]]],
                "vercel.projects[0].production: expected the id of a READY production deployment of this project, found dpl_X"
            ),
            (
                ["projects": [["name": "web", "deployments": [["id": "X"]]]]],
                "vercel.projects[0].deployments[0].id: expected an id that begins with dpl_, found X"
            ),
            (
                ["projects": [["name": "web", "deployments": [["id": "dpl_A"], ["id": "dpl_A"]]]]],
                "vercel.projects[0].deployments[1].id: expected an id that no other deployment has, found dpl_A"
            ),
            (
                ["projects": [["name": "web", "deployments": [["id": "dpl_A", "state": "DONE"]]]]],
                "vercel.projects[0].deployments[0].state: expected one of READY, ERROR, CANCELED, BLOCKED, BUILDING, DELETED, found DONE"
            ),
            (["projects": [["name": "web", "autoAssign": "perhaps"]]], "vercel.projects[0].autoAssign: expected true or false"),
            (["projects": [["name": "web", "seconds": ["build": "long"]]]], "vercel.projects[0].seconds.build: expected a number"),
            (
                ["projects": [["name": "web", "nextJob": ["outcome": "lost"]]]],
                "vercel.projects[0].nextJob.outcome: expected one of succeeded, failed, skipped, neverBegins, neverEnds, found lost"
            ),
            (
                ["projects": [["name": "web", "env": [["key": "B-D"]]]]],
                "vercel.projects[0].env[0].key: expected letters, digits and _, found B-D"
            ),
            (
                ["projects": [["name": "web", "env": [["key": "A", "type": "secret"]]]]],
                "vercel.projects[0].env[0].type: expected one of plain, encrypted, sensitive, system, found secret"
            ),
            (
                ["projects": [["name": "web", "env": [["key": "A", "target": ["staging"]]]]]],
                "vercel.projects[0].env[0].target[0]: expected one of production, preview, development, found staging"
            ),
            (
                ["projects": [["name": "web", "env": [["key": "A"], ["key": "A", "target": "preview"]]]]],
                "vercel.projects[0].env[1].key: expected a key that no other variable of the same targets has, found A"
            ),
            (
                ["projects": [["name": "web", "deployments": [["id": "dpl_A", "env": ["A"]]]]]],
                "vercel.projects[0].deployments[0].env: expected a mapping from keys to values"
            ),
            (
                ["sensitiveEnvironmentVariablePolicy": "always"],
                "vercel.sensitiveEnvironmentVariablePolicy: expected one of on, off, default, found always"
            ),
            (
                ["projects": [["name": "web", "rollingRelease": ["stages": [["percentage": 10]]]]]],
                "vercel.projects[0].rollingRelease.stages: expected the last stage to be 100 percent"
            ),
        ] as [(JSON, String)])
    func aWorldThatIsWrongSaysWhereAndWhatWasExpected(_ world: JSON, _ message: String) {
        #expect(error(world) == message)
    }

    @Test func scalarsMayBeWrittenAsTexts() {
        #expect(error(["projects": [["name": "web", "autoAssign": "true", "seconds": ["build": "1.5"]]]]) == nil)
        #expect(error([:]) == nil)
    }

    @Test func theTokenIsInNothingThatItShows() async throws {
        let simulator = try VercelSimulator(
            world: ["projects": [["name": "web"]]], clock: ManualClock(), token: "vcp_secret_secret")
        #expect(!(await simulator.world.description.contains("vcp_secret_secret")))
    }
}
