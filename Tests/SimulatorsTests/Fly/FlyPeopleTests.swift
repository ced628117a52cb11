import HTTPCore
import JSONValues
import Simulators
import Testing

@Suite struct FlyPeopleTests {
    private func tags(_ stage: FlyStage) async throws -> [String?] {
        try await stage.app["machines"]?.elements.map { $0["tag"]?.string } ?? []
    }

    private func status(_ stage: FlyStage) async throws -> String? {
        try await stage.send(.get, "/api/v1/apps/worker/releases/current").body["status"]?.string
    }

    @Test func aDeployGoesFromMachineToMachineUnderLeases() async throws {
        let stage = try FlyStage()
        #expect(stage.fly.deploy("worker", tag: "deployment-new") == 88)
        #expect(try await status(stage) == "running")
        #expect(try await stage.state() == "replacing")
        #expect(try await tags(stage) == ["deployment-new", "deployment-87"])
        let refused = try await stage.send(.post, "\(FlyStage.machine)/lease", ["ttl": 13])
        #expect(refused.status == 409 && refused.error?.contains("held by ada@tokens.fly.io") == true)
        #expect(try await stage.send(.post, "/v1/apps/worker/machines/\(FlyStage.second)/lease", ["ttl": 1]).status == 201)
        stage.pass(12)
        #expect(try await tags(stage) == ["deployment-new", "deployment-new"])
        #expect(try await stage.state() == "started")
        #expect(try await stage.state(FlyStage.second) == "replacing")
        stage.pass(20)
        #expect(try await status(stage) == "complete")
        #expect(try await stage.machine(FlyStage.second)["config"]?["metadata"]?["fly_release_version"]?.string == "88")
        #expect(try await stage.send(.get, "\(FlyStage.machine)/lease").status == 404)
        let writes = try await stage.app["writes"]?.elements ?? []
        #expect(writes.allSatisfy { $0["by"]?.string == "person" })
        #expect(writes.map { $0["operation"]?.string } == ["create-release", "update", "update"])
    }

    @Test func aDeployWaitsForWhoeverHoldsAMachine() async throws {
        let stage = try FlyStage()
        _ = try await stage.lease(ttl: 60)
        stage.fly.deploy("worker", tag: "deployment-new")
        stage.pass(50)
        #expect(try await tags(stage) == ["deployment-87", "deployment-87"])
        stage.pass(60)
        #expect(try await tags(stage) == ["deployment-new", "deployment-new"])
    }

    @Test func aDeployOfAnImageThatCannotBePulledFails() async throws {
        let stage = try FlyStage()
        stage.fly.setNextUpdate("worker", .pullFails)
        stage.fly.deploy("worker", tag: "deployment-new")
        stage.pass(60)
        #expect(try await status(stage) == "failed")
        #expect(try await tags(stage) == ["deployment-87", "deployment-87"])
        #expect(try await stage.state() == "started")
    }

    @Test func anInterruptedDeployLeavesMixedVersionsAndARunningRow() async throws {
        let stage = try FlyStage()
        stage.fly.deploy("worker", tag: "deployment-new")
        stage.fly.interruptDeploys("worker")
        stage.pass(3600)
        #expect(try await tags(stage) == ["deployment-new", "deployment-87"])
        #expect(try await status(stage) == "running")
        #expect(try await stage.send(.get, "\(FlyStage.machine)/lease").status == 404)
    }

    @Test(arguments: ["running", "failed", "interrupted"])
    func theNewestReleaseNeedNotRun(_ status: String) async throws {
        let stage = try FlyStage()
        #expect(stage.fly.addRelease("worker", tag: "deployment-lost", status: status) == 88)
        #expect(try await self.status(stage) == status)
        #expect(try await tags(stage) == ["deployment-87", "deployment-87"])
    }

    @Test(arguments: [
        (FlySimulator.Helper.releaseCommand, "fly_app_release_command"), (.console, "fly_app_console"),
        (.test, "fly_app_test_machine_command"),
    ])
    func helpersStandAmongTheMachines(_ helper: FlySimulator.Helper, _ group: String) async throws {
        let stage = try FlyStage()
        let id = try #require(stage.fly.addHelper("worker", helper))
        #expect(try await stage.machine(id)["config"]?["metadata"]?["fly_process_group"]?.string == group)
        stage.fly.deploy("worker", tag: "deployment-new")
        stage.pass(120)
        #expect(try await stage.machine(id)["image_ref"]?["tag"]?.string == "deployment-87", "a deploy leaves it alone")
        stage.fly.destroy("worker", id)
        #expect(try await stage.state(id) == "destroyed")
    }

    @Test func whoIsNotKnownIsLeftAlone() async throws {
        let stage = try FlyStage()
        #expect(stage.fly.deploy("other", tag: "a") == nil)
        #expect(stage.fly.addHelper("other", .console) == nil)
        stage.fly.crash("worker", "nobody")
        #expect(try await stage.writes.isEmpty)
    }
}
