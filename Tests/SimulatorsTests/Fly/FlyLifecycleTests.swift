import HTTPCore
import JSONValues
import Simulators
import Testing

@Suite struct FlyLifecycleTests {
    @Test func aStopTakesItsTime() async throws {
        let stage = try FlyStage()
        #expect(try await stage.send(.post, "\(FlyStage.machine)/stop", [:]).body == ["ok": true])
        #expect(try await stage.state() == "stopping")
        let early = try await stage.send(.post, "\(FlyStage.machine)/start")
        #expect(early.status == 412 && early.error == "failed_precondition: machine still active, refusing to start")
        stage.pass(2)
        #expect(try await stage.state() == "stopped")
        #expect(try await stage.send(.post, "\(FlyStage.machine)/stop", [:]).status == 200)
        #expect(try await stage.writes == ["stop \(FlyStage.first)"], "a repetition has no effect")
    }

    @Test func aStopsBodyIsAnObject() async throws {
        let stage = try FlyStage()
        let answer = try await stage.send(.post, "\(FlyStage.machine)/stop", [])
        #expect(answer.status == 400)
        #expect(answer.error == "json: cannot unmarshal array into Go value of type main.stopRequest")
        #expect(try await stage.send(.post, "\(FlyStage.machine)/stop").status == 200)
    }

    @Test func aRestartKeepsTheVersion() async throws {
        let stage = try FlyStage()
        let version = try await stage.machine()["instance_id"]
        #expect(try await stage.send(.post, "\(FlyStage.machine)/restart").status == 200)
        #expect(try await stage.state() == "restarting")
        stage.pass(5)
        #expect(try await stage.state() == "started")
        #expect(try await stage.machine()["instance_id"] == version)
    }

    @Test func aSuspendedMachineStartsAgain() async throws {
        let stage = try FlyStage()
        #expect(try await stage.send(.post, "\(FlyStage.machine)/suspend").status == 200)
        stage.pass(2)
        #expect(try await stage.state() == "suspended")
        #expect(try await stage.send(.post, "\(FlyStage.machine)/start").body["previous_state"]?.string == "suspended")
    }

    @Test(arguments: [false, true])
    func aCordonIsShownAndMayNotOutliveAnUpdate(_ updateUncordons: Bool) async throws {
        let stage = try FlyStage { $0["updateUncordons"] = .bool(updateUncordons) }
        for _ in 0..<2 { #expect(try await stage.send(.post, "\(FlyStage.machine)/cordon").status == 200) }
        #expect(try await stage.machine()["cordoned"]?.bool == true)
        #expect(try await stage.writes == ["cordon \(FlyStage.first)"])
        _ = try await stage.update("registry.fly.io/worker:deployment-86")
        stage.pass(20)
        #expect(try await stage.machine()["cordoned"]?.bool == !updateUncordons)
        #expect(try await stage.send(.post, "\(FlyStage.machine)/uncordon").status == 200)
        #expect(try await stage.machine()["cordoned"]?.bool == false)
    }

    @Test func theProxyStartsWhatIsNotCordoned() async throws {
        let stage = try FlyStage()
        for machine in [FlyStage.first, FlyStage.second] { stage.fly.autostop("worker", machine) }
        _ = try await stage.send(.post, "\(FlyStage.machine)/cordon")
        stage.pass(2)
        for machine in [FlyStage.first, FlyStage.second] { stage.fly.autostart("worker", machine) }
        stage.pass(3)
        #expect(try await stage.state() == "stopped")
        #expect(try await stage.state(FlyStage.second) == "started")
    }

    struct Wait: Sendable, CustomTestStringConvertible {
        var reason: String
        var query: String
        var status: Int
        var error: String?
        var testDescription: String { reason }

        init(_ reason: String, _ query: String, _ status: Int, _ error: String? = nil) {
            self.reason = reason
            self.query = query
            self.status = status
            self.error = error
        }
    }

    private static let timeout = "invalid_argument: invalid WaitMachineRequest.Timeout: value must be inside range [1s, 1m0s]"

    @Test(arguments: [
        Wait("reached", "state=started", 200), Wait("the default is started", "", 200),
        Wait("one of several, by commas", "state=stopped,started&version=VERSION", 200),
        Wait("one of several, repeated", "state=suspended&state=started", 200), Wait("settled", "state=settled", 200),
        Wait("by the older name", "state=started&instance_id=VERSION", 200),
        Wait(
            "not reached", "state=suspended", 408,
            "deadline_exceeded: machine failed to reach desired state, suspended, currently started"),
        Wait("a minute at most", "timeout=61", 400, timeout), Wait("a second at least", "timeout=0", 400, timeout),
        Wait("no number", "timeout=60s", 400), Wait("no such state", "state=running", 400),
        Wait("stopped needs a version", "state=stopped", 400, "invalid_argument: instance_id required when waiting for stopped machine"),
        Wait(
            "an old version is replaced", "state=started&version=OLD", 408,
            "deadline_exceeded: machine failed to reach desired state, started, currently replaced"),
        Wait("no such version", "version=01ABC", 404),
    ])
    func aWaitSaysAtOnceWhetherTheStateIsReached(_ wait: Wait) async throws {
        let stage = try FlyStage()
        let versions = try await stage.send(.get, "\(FlyStage.machine)/versions").body
        let query = wait.query.replacing("VERSION", with: versions[0]?["version"]?.string ?? "")
            .replacing("OLD", with: versions[1]?["version"]?.string ?? "")
        let answer = try await stage.send(.get, "\(FlyStage.machine)/wait?\(query)")
        #expect(answer.status == wait.status)
        if let error = wait.error { #expect(answer.error == error) }
        guard answer.status == 200 else { return }
        #expect(answer.body["ok"]?.bool == true)
        #expect(answer.body["state"]?.string == "started")
        #expect(answer.body["version"] == versions[0]?["version"])
    }

    @Test func metadataChangesWithoutANewVersion() async throws {
        let stage = try FlyStage()
        let path = "\(FlyStage.machine)/metadata"
        let version = try await stage.machine()["instance_id"]
        #expect(try await stage.send(.post, "\(path)/owner", ["value": "belay"]).status == 204)
        #expect(try await stage.send(.get, "\(path)/owner").body["value"]?.string == "belay")
        #expect(try await stage.send(.patch, path, ["metadata": ["more": "1"]]).status == 204)
        #expect(try await stage.send(.get, path).body["fly_process_group"]?.string == "app")
        let listed = try await stage.send(.get, "/v1/apps/worker/machines?metadata.owner=belay").body.elements
        #expect(listed.map { $0["id"]?.string } == [FlyStage.first])
        #expect(try await stage.send(.delete, "\(path)/owner").status == 204)
        #expect(try await stage.send(.get, "\(path)/owner").status == 404)
        #expect(try await stage.send(.put, path, ["metadata": ["only": "1"]]).status == 204)
        #expect(try await stage.send(.get, path).body == ["only": "1"])
        #expect(try await stage.machine()["instance_id"] == version)
        let stale = try await stage.send(.put, path, ["metadata": [:], "machine_version": "01OLD"])
        #expect(stale.status == 412)
    }
}
