import HTTPCore
import JSONValues
import Simulators
import Testing

@Suite struct FlyWorldTests {
    private func error(_ world: JSON) -> String? {
        do throws(WorldError) {
            _ = try FlySimulator(world: world, clock: ManualClock(), token: "t")
            return nil
        } catch {
            return error.description
        }
    }

    @Test(
        arguments: [
            (["app": []], "fly.app: unknown; expected one of rateLimits, retryAfter, staleVersion, apps"),
            (["staleVersion": 400], "fly.staleVersion: expected 409 or 412"), (["apps": "worker"], "fly.apps: expected a list"),
            (["apps": [["org": "acme"]]], "fly.apps[0].name: expected the app's name"),
            (["apps": [["name": "a"], ["name": "a"]]], "fly.apps[1].name: expected a name that no other app has, found a"),
            (
                ["apps": [["name": "a", "releases": [["version": 2], ["version": 1]]]]],
                "fly.apps[0].releases[1].version: expected a version above that of the release before, found 1"
            ),
            (
                ["apps": [["name": "a", "releases": [["image": "red"]]]]],
                "fly.apps[0].releases[0].image: expected one of runs, crashes, unhealthy, unpullable, pruned, found red"
            ),
            (
                ["apps": [["name": "a", "releases": [["digest": "1234"]]]]],
                "fly.apps[0].releases[0].digest: expected a digest that begins with sha256:, found 1234"
            ),
            (["apps": [["name": "a", "live": 3]]], "fly.apps[0].live: expected the version of a release of this app, found 3"),
            (["apps": [["name": "a", "machines": "many"]]], "fly.apps[0].machines: expected a number"),
            (["apps": [["name": "a", "machines": 5000]]], "fly.apps[0].machines: expected a list, or a number up to 1000"),
            (
                ["apps": [["name": "a", "machines": [["release": 3]]]]],
                "fly.apps[0].machines[0].release: expected the version of a release of this app, found 3"
            ),
            (
                ["apps": [["name": "a", "machines": [["id": "1"], ["id": "1"]]]]],
                "fly.apps[0].machines[1].id: expected an id that no other machine has, found 1"
            ),
            (
                ["apps": [["name": "a", "machines": [["helper": "cron"]]]]],
                "fly.apps[0].machines[0].helper: expected one of release_command, console, test, found cron"
            ),
        ] as [(JSON, String)])
    func aWorldThatIsWrongSaysWhereAndWhatWasExpected(_ world: JSON, _ message: String) {
        #expect(error(world) == message)
    }

    @Test func scalarsMayBeWrittenAsTexts() {
        #expect(error(["rateLimits": "false", "apps": [["name": "a", "machines": "2", "seconds": ["replace": "1.5"]]]]) == nil)
        #expect(error([:]) == nil)
    }

    @Test func neitherTokenNorSecretIsInWhatItShows() async throws {
        let stage = try FlyStage(token: "fm2_never_shown")
        let nonce = try await stage.lease()
        let shown = await stage.fly.world.description
        for secret in ["fm2_never_shown", "hidden", nonce] { #expect(!shown.contains(secret)) }
    }

    @Test func theWorldTellsWhatRunsAndWhatTookEffect() async throws {
        let stage = try FlyStage()
        let pinned = try await stage.pinned("deployment-86")
        let nonce = try await stage.lease()
        _ = try await stage.update(pinned, nonce: nonce)
        let app = try await stage.app
        let machine = try #require(app["machines"]?[0])
        #expect(machine["digest"]?.string.map { pinned.hasSuffix($0) } == true)
        #expect(machine["lease"]?.string == "sandbox@tokens.fly.io")
        #expect(machine["env"]?["LOG"]?.string == "info")
        #expect(machine["secrets"]?["DATABASE_URL"]?.string?.count == 16)
        let write = try #require(app["writes"]?[0])
        #expect(write["operation"]?.string == "update" && write["by"]?.string == "api")
        #expect(write["image"]?.string == pinned && write["digest"] == machine["digest"])
        #expect(app["releases"]?.elements.count == 3)
    }

    @Test func machinesMayRunReleasesOfTheirOwn() async throws {
        let stage = try FlyStage {
            $0["machines"] = [["release": 85], ["env": ["LOG": "debug"], "config": ["auto_destroy": true]]]
            $0["live"] = 86
        }
        let machines = try #require(try await stage.app["machines"])
        #expect(machines.elements.map { $0["tag"]?.string } == ["deployment-85", "deployment-86"])
        #expect(machines[1]?["env"]?["LOG"]?.string == "debug")
        let config = try await stage.machine(machines[1]?["id"]?.string ?? "")["config"]
        #expect(config?["auto_destroy"]?.bool == true)
    }

    @Test func twoWorldsOfOneFileAreTheSame() async throws {
        let (one, other) = (try FlyStage { $0["machines"] = 3 }, try FlyStage { $0["machines"] = 3 })
        #expect(await one.fly.world == other.fly.world)
    }
}
