import HTTPCore
import JSONValues
import Simulators
import Testing

@Suite struct FlyMachineTests {
    private static let machines = "/v1/apps/worker/machines"

    @Test func aNewMachineStartsInTimeAndHasItsNameAlone() async throws {
        let stage = try FlyStage()
        let body: JSON = ["name": "blue", "config": ["image": "registry.fly.io/worker:deployment-86"], "lease_ttl": 30]
        let made = try await stage.send(.post, Self.machines, body)
        #expect(made.status == 200)
        #expect(made.body["state"]?.string == "created")
        let id = try #require(made.body["id"]?.string)
        #expect(id.count == 14)
        let nonce = try #require(made.body["nonce"]?.string)
        #expect(try await stage.send(.post, "\(Self.machines)/\(id)/cordon").status == 409)
        #expect(try await stage.send(.post, "\(Self.machines)/\(id)/cordon", nonce: nonce).status == 200)
        let again = try await stage.send(.post, Self.machines, body)
        #expect(again.status == 409)
        #expect(again.error?.hasPrefix("already_exists: ") == true && again.error?.contains("machine ID \(id) ") == true)
        stage.pass(8)
        #expect(try await stage.state(id) == "started")
        let nameless: JSON = ["config": body["config"] ?? [:]]
        for _ in 0..<2 { #expect(try await stage.send(.post, Self.machines, nameless).status == 200) }
        #expect(try await stage.send(.get, Self.machines).body.elements.count == 5, "a creation is not idempotent")
    }

    @Test func thereMayBeNoRoomForANewMachine() async throws {
        let stage = try FlyStage()
        stage.fly.refuseNextCreation("worker")
        let body: JSON = ["config": ["image": "registry.fly.io/worker:deployment-86"], "skip_launch": true]
        let refused = try await stage.send(.post, Self.machines, body)
        #expect(refused.status == 503 && refused.body["status"]?.string == "insufficient_capacity")
        let id = try #require(try await stage.send(.post, Self.machines, body).body["id"]?.string)
        stage.pass(60)
        #expect(try await stage.state(id) == "stopped")
    }

    @Test func aDestroyedMachineIsShownForAWhile() async throws {
        let stage = try FlyStage()
        #expect(try await stage.send(.delete, FlyStage.machine).status == 412, "it runs")
        #expect(try await stage.send(.delete, "\(FlyStage.machine)?force=true").body == ["ok": true])
        #expect(try await stage.state() == "destroying")
        stage.pass(2)
        #expect(try await stage.state() == "destroyed")
        #expect(try await stage.send(.delete, "\(FlyStage.machine)?force=true").status == 200)
        #expect(try await stage.send(.get, Self.machines).body.elements.count == 2)
        stage.pass(60)
        #expect(try await stage.send(.get, FlyStage.machine).status == 404)
        #expect(try await stage.send(.delete, "\(FlyStage.machine)?force=true").status == 404)
        #expect(try await stage.send(.get, "\(FlyStage.machine)/wait?state=destroyed").status == 404)
        #expect(try await stage.writes == ["delete \(FlyStage.first)"])
    }

    @Test func machinesAreListedByWhatIsAskedFor() async throws {
        let stage = try FlyStage {
            $0["machines"] = [
                ["id": "aaaaaaaaaaaaa1", "region": "ams", "group": "web"], ["id": "aaaaaaaaaaaaa2", "state": "stopped", "group": "web"],
                ["id": "aaaaaaaaaaaaa3", "state": "destroyed"], ["id": "aaaaaaaaaaaaa4", "helper": "console"],
            ]
        }
        func ids(_ query: String) async throws -> [String?] {
            try await stage.send(.get, "\(Self.machines)?\(query)").body.elements.map { $0["id"]?.string?.last.map { String($0) } }
        }
        #expect(try await ids("") == ["1", "2", "3", "4"])
        #expect(try await ids("region=ams") == ["1"])
        #expect(try await ids("state=stopped,destroyed") == ["2", "3"])
        #expect(try await ids("metadata.fly_process_group=web") == ["1", "2"])
        #expect(try await ids("metadata.fly_process_group=fly_app_console") == ["4"])
        let short = try await stage.send(.get, "\(Self.machines)?summary=true").body[0]
        #expect(short?["events"] == nil && short?["config"]?["image"] != nil && short?["config"]?["env"] == nil)
    }

    @Test func aMachineTellsItsReleaseGroupAndImage() async throws {
        let machine = try await FlyStage().machine()
        let metadata = try #require(machine["config"]?["metadata"])
        #expect(metadata["fly_platform_version"]?.string == "v2")
        #expect(metadata["fly_process_group"]?.string == "app")
        #expect(metadata["fly_release_version"]?.string == "87")
        #expect(machine["config"]?["image"]?.string == "registry.fly.io/worker:deployment-87")
        #expect(machine["image_ref"]?["repository"]?.string == "worker")
        #expect(machine["image_ref"]?["tag"]?.string == "deployment-87")
        #expect(machine["image_ref"]?["digest"]?.string?.count == 71)
        #expect(machine["host_status"]?.string == "ok")
    }

    @Test func aCountMakesMachinesOfEveryGroup() async throws {
        let stage = try FlyStage {
            $0["machines"] = 2
            $0["groups"] = ["web", "jobs"]
        }
        let machines = try await stage.app["machines"]?.elements ?? []
        #expect(machines.map { $0["group"]?.string } == ["web", "web", "jobs", "jobs"])
        #expect(Set(machines.map { $0["id"]?.string }).count == 4)
    }
}
