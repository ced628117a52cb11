import HTTPCore
import JSONValues
import Simulators
import Testing

@Suite struct FlyUpdateTests {
    private let old = "registry.fly.io/worker:deployment-86"

    @Test func anUpdateIsAnsweredAtOnceAndSettlesInTime() async throws {
        let stage = try FlyStage()
        let before = try await stage.machine()["instance_id"]?.string
        let answer = try await stage.update(try await stage.pinned("deployment-86"))
        #expect(answer.status == 200)
        #expect(answer.body["state"]?.string == "replacing")
        let version = try #require(answer.body["instance_id"]?.string)
        #expect(version != before && version.count == 26 && answer.body["version"]?.string == version)
        var states: [String?] = []
        for _ in 0..<3 {
            states.append(try await stage.state())
            stage.pass(5)
        }
        #expect(states == ["replacing", "starting", "started"])
        let after = try await stage.machine()
        #expect(after["instance_id"]?.string == version)
        #expect(try await stage.pinned("deployment-86").hasSuffix(try #require(after["image_ref"]?["digest"]?.string)))
        #expect(after["image_ref"]?["tag"] == nil, "an image named by its digest has no tag")
        #expect(try await stage.writes == ["update \(FlyStage.first)"])
    }

    @Test func aPostedConfigIsTheWholeConfig() async throws {
        let stage = try FlyStage()
        let answer = try await stage.update(old) {
            $0["config"]?["env"] = ["ONLY": "this"]
            $0["config"]?["services"] = nil
            $0["config"]?["containers_of_tomorrow"] = [["name": "kept"]]
        }
        let config = try #require(answer.body["config"])
        #expect(config["env"] == ["ONLY": "this"])
        #expect(config["services"] == nil)
        #expect(config["containers_of_tomorrow"] == [["name": "kept"]])
    }

    @Test(arguments: [(412, "failed_precondition: "), (409, "aborted: ")])
    func aStaleVersionIsRefused(_ status: Int, _ prefix: String) async throws {
        let stage = try FlyStage(world: { $0["staleVersion"] = .integer(status) })
        let version = try #require(try await stage.machine()["instance_id"]?.string)
        #expect(try await stage.update(old) { $0["current_version"] = .string(version) }.status == 200)
        stage.pass(20)
        let answer = try await stage.update(old) { $0["current_version"] = .string(version) }
        #expect(answer.status == status)
        #expect(answer.error?.hasPrefix(prefix) == true)
        #expect(try await stage.writes.count == 1)
    }

    @Test func whileAnUpdateRunsAnotherOneIsRefusedAndTheSameOneIsTheSame() async throws {
        let stage = try FlyStage()
        let nonce = try await stage.lease()
        let config = try #require(try await stage.machine()["config"])
        let body: JSON = ["config": config]
        let first = try await stage.send(.post, FlyStage.machine, body, nonce: nonce)
        let again = try await stage.send(.post, FlyStage.machine, body, nonce: nonce)
        #expect(again.status == 200 && again.body["instance_id"] == first.body["instance_id"])
        let other = try await stage.update(old, nonce: nonce)
        #expect(other.status == 409)
        #expect(other.error == "aborted: machine is replacing: concurrent update in progress")
        #expect(try await stage.writes == ["update \(FlyStage.first)"])
    }

    @Test(arguments: ["stopped", "suspended", "created"])
    func aMachineThatDidNotRunStaysStopped(_ state: String) async throws {
        let stage = try FlyStage { $0["machines"] = [["id": .string(FlyStage.first), "state": .string(state)]] }
        _ = try await stage.update(old)
        let early = try await stage.send(.post, "\(FlyStage.machine)/start")
        #expect(early.status == 412)
        #expect(early.error == "failed_precondition: machine getting replaced, refusing to start")
        stage.pass(60)
        #expect(try await stage.state() == "stopped")
        #expect(try await stage.send(.post, "\(FlyStage.machine)/start").body["previous_state"]?.string == "stopped")
        stage.pass(3)
        #expect(try await stage.state() == "started")
    }

    @Test func aRunningMachineIsNotLaunchedWhenAskedNotTo() async throws {
        let stage = try FlyStage()
        _ = try await stage.update(old) { $0["skip_launch"] = true }
        stage.pass(60)
        #expect(try await stage.state() == "stopped")
    }

    @Test func anImageThatCannotBePulledLeavesTheVersionBeforeStarted() async throws {
        let stage = try FlyStage()
        let before = try await stage.machine()
        stage.fly.setNextUpdate("worker", machine: FlyStage.first, .pullFails)
        let version = try #require(try await stage.update(old).body["instance_id"]?.string)
        stage.pass(60)
        let after = try await stage.machine()
        #expect(after["state"]?.string == "started")
        #expect(after["instance_id"] == before["instance_id"])
        #expect(after["image_ref"] == before["image_ref"])
        let wait = try await stage.send(.get, "\(FlyStage.machine)/wait?version=\(version)&state=started&timeout=60")
        #expect(wait.status == 408)
        #expect(wait.error?.hasSuffix("currently replaced") == true)
    }

    @Test func aCrashLoopLooksStarted() async throws {
        let stage = try FlyStage { $0["releases"] = [["version": 86, "image": "crashes"], ["version": 87]] }
        _ = try await stage.update(old)
        stage.pass(5 + 3 + 7)
        #expect(try await stage.state() == "started")
        let events = try await stage.send(.get, "\(FlyStage.machine)/events").body.elements
        let exits = events.filter { $0["type"]?.string == "exit" }
        #expect(exits.count == 2)
        let request = try #require(exits.first?["request"])
        #expect(request["restart_count"]?.integer == 2)
        #expect(request["exit_event"]?["restarting"]?.bool == true)
        #expect(request["MonitorEvent"]?["exit_event"]?["exit_code"]?.integer == 1)
        stage.pass(60)
        #expect(try await stage.state() == "stopped")
    }

    @Test func eventsBeginAnewWithEveryUpdate() async throws {
        let stage = try FlyStage()
        #expect(try await stage.send(.get, "\(FlyStage.machine)/events").body.elements.count == 2)
        _ = try await stage.update(old)
        let events = try await stage.send(.get, "\(FlyStage.machine)/events").body.elements
        #expect(events.map { $0["type"]?.string } == ["update"])
    }

    @Test func aWedgedUpdateNeverEnds() async throws {
        let stage = try FlyStage()
        stage.fly.setNextUpdate("worker", .wedged)
        _ = try await stage.update(old)
        stage.pass(17 * 3600)
        #expect(try await stage.state() == "replacing")
        stage.fly.unwedge("worker", FlyStage.first)
        stage.pass(3)
        #expect(try await stage.state() == "started")
    }

    @Test func aFullHostRefuses() async throws {
        let stage = try FlyStage()
        stage.fly.setNextUpdate("worker", .noCapacity)
        let answer = try await stage.update(old)
        #expect(answer.status == 503)
        #expect(answer.body["status"]?.string == "insufficient_capacity")
        #expect(try await stage.writes.isEmpty)
        #expect(try await stage.update(old).status == 200)
    }

    @Test func theProxyMayStopAMachineThatWasJustStarted() async throws {
        let stage = try FlyStage { $0["autostop"] = "stop" }
        stage.fly.setNextUpdate("worker", .autostops(after: .seconds(1)))
        let version = try #require(try await stage.update(old).body["instance_id"]?.string)
        stage.pass(9)
        let wait = try await stage.send(.get, "\(FlyStage.machine)/wait?version=\(version)&state=started")
        #expect(wait.error == "deadline_exceeded: machine failed to reach desired state, started, currently stopped")
        #expect(try await stage.machine()["config"]?["services"]?[0]?["autostop"]?.bool == true)
    }

    @Test func aMachineWithoutAHostCannotBeChanged() async throws {
        let stage = try FlyStage()
        stage.fly.setHost("worker", FlyStage.first, isReachable: false)
        let machine = try await stage.machine()
        #expect(machine["host_status"]?.string == "unreachable")
        #expect(machine["config"] == nil && machine["incomplete_config"]?["image"] != nil)
        #expect(try await stage.send(.post, "\(FlyStage.machine)/lease", ["ttl": 10]).status == 503)
        #expect(try await stage.send(.post, FlyStage.machine, ["config": ["image": .string(old)]]).status == 503)
    }

    @Test func checksPassAWhileAfterTheStart() async throws {
        let stage = try FlyStage()
        func status() async throws -> String? { try await stage.machine()["checks"]?[0]?["status"]?.string }
        #expect(try await status() == "passing")
        stage.fly.setNextUpdate("worker", .unhealthy)
        _ = try await stage.update(old)
        #expect(try await status() == "warning")
        stage.pass(20)
        #expect(try await stage.state() == "started")
        #expect(try await status() == "critical")
        _ = try await stage.update(old)
        stage.pass(20)
        #expect(try await status() == "passing")
    }

    @Test func theVersionsKeepTheirConfigs() async throws {
        let stage = try FlyStage()
        #expect(try await stage.send(.get, "\(FlyStage.machine)/versions").body.elements.count == 3, "one for each release before")
        let version = try await stage.machine()["instance_id"]
        _ = try await stage.update(old) { $0["config"]?["env"] = [:] }
        let versions = try await stage.send(.get, "\(FlyStage.machine)/versions").body.elements
        #expect(versions.count == 4)
        #expect(versions[1]["version"] == version)
        #expect(versions[1]["user_config"]?["env"]?["LOG"]?.string == "info")
        #expect(versions[0]["user_config"]?["env"]?["LOG"] == nil)
    }

    @Test(
        arguments: [
            ("a config that is missing", [:], 400), ("a region that changes", ["config": ["image": "a"], "region": "ams"], 400),
            ("an image that is none", ["config": ["image": ":"]], 400), ("a list", [], 400),
            ("a tag that nobody pushed", ["config": ["image": "registry.fly.io/worker:nothing"]], 400),
        ] as [(String, JSON, Int)])
    func whatMakesNoSenseIsRefused(_ why: String, _ body: JSON, _ status: Int) async throws {
        let stage = try FlyStage()
        #expect(try await stage.send(.post, FlyStage.machine, body).status == status)
        #expect(try await stage.writes.isEmpty)
    }
}
