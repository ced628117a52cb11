import FlyProvider
import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import Testing

/// The edge cases of the vendor's API, by their numbers in the contract. The ninth cannot occur: Belay creates no machines.
@Suite struct FlyEdgeCaseTests {
    private static let three = [FlyStage.first, FlyStage.second, FlyStage.third]

    @Test("11.1: a machine that is started on the old image after a failed pull has not been updated")
    func aFailedPull() async throws {
        let stage = try FlyStage.make { app in
            app["releases"] = [["version": 86, "image": "unpullable"], ["version": 87]]
            app["live"] = 87
        }
        let (result, change, intent) = try await stage.go()
        guard case .accepted = result else {
            Issue.record("\(result)")
            return
        }
        #expect(try await stage.machine()["state"]?.string == "started")
        let observation = await stage.observe(resolution: change.resolution, intent: intent)
        guard case .failed(let problem) = observation.fate else {
            Issue.record("\(String(describing: observation.fate))")
            return
        }
        #expect(problem.reason == "UpdateReverted")
        #expect(observation.live.declared?.label == "v87 (deployment-87)")
    }

    @Test("11.2: machines are told the digest, and a tag that moved is told and not followed")
    func aTagThatMoves() async throws {
        var stage = try FlyStage.make()
        let digest = try await stage.digest("deployment-86")
        let pinned = try stage.change(await stage.observe())
        stage.fly.moveTag("worker", tag: "deployment-86", digest: "sha256:" + String(repeating: "9", count: 64))
        let moved = await stage.observe(resolution: pinned.change.resolution)
        #expect(moved.notes.contains { $0.hasPrefix("deployment-86 names another image than when it was pinned") })
        let result = try await stage.go(nil, pinned.change.resolution).result
        guard case .accepted = result else {
            Issue.record("\(result)")
            return
        }
        #expect(try await stage.machine()["image"]?.string == "registry.fly.io/worker@\(digest)")
        stage.known = [:]
    }

    @Test("11.2: the digest of an index and that of its manifest are one image")
    func anIndex() async throws {
        var stage = try FlyStage.make { $0["releases"] = [["version": 86, "index": true], ["version": 87]] }
        let observation = await stage.observe()
        let candidate = try #require(observation.candidate("v86"))
        #expect(candidate.release.identities.count == 2)
        #expect(try await stage.walk().count == 1)
        let index = try #require(candidate.release.lineage.first?.value)
        let byIndex = await stage.observe(.image(index))
        #expect(byIndex.candidate(index)?.release.isIdentical(with: ArtifactIdentity(.image, index)) == true)
    }

    @Test("11.3: an image that was pruned is gone before the first machine is touched")
    func aPrunedImage() async throws {
        let stage = try FlyStage.make()
        stage.fly.pruneImage("worker", tag: "deployment-86")
        let candidate = try #require(await stage.observe().candidate("v86"))
        #expect(candidate.routes.isEmpty)
        #expect(candidate.gone?.reason == "ImageGone")
        #expect(stage.world.writes == 0)
    }

    @Test("11.4: what runs is told by the machines, whatever the newest release is")
    func theNewestReleaseIsNotWhatRuns() async throws {
        let stage = try FlyStage.make { app in
            app["releases"] = [
                ["version": 86], ["version": 87], ["version": 88, "status": "failed"], ["version": 89, "status": "failed"],
            ]
        }
        let observation = await stage.observe()
        #expect(observation.live.declared?.label == "v87 (deployment-87)")
        #expect(observation.notes.contains("the newest release, v89, is recorded as failed, and no machine runs it"))
    }

    @Test("11.5: a release that is stuck at running neither runs nor is waited for")
    func aStuckRelease() async throws {
        let stage = try FlyStage.make()
        stage.fly.addRelease("worker", tag: "deployment-87", status: "running")
        let observation = await stage.observe()
        #expect(observation.operation == nil && observation.settlement == .settled)
        #expect(observation.live.declared?.label == "v87 (deployment-87)")
    }

    @Test("11.6: the nonce is on every call to a leased machine, and the lease is given back")
    func ownLease() async throws {
        let stage = try FlyStage.make()
        let result = try await stage.go().result
        guard case .accepted = result else {
            Issue.record("\(result)")
            return
        }
        #expect(stage.world.transport.received.contains { $0.method == .delete && $0.path.hasSuffix("/lease") && $0.status == 200 })
        #expect(try await stage.send(.get, FlyStage.path() + "/lease").status == 404)
    }

    @Test("11.6: a lease is given back when the update is refused, and when the task is cancelled")
    func everyWayOut() async throws {
        let stage = try FlyStage.make()
        stage.inject(Fault(method: .post, path: "/machines/", .answer(status: 422, headers: [:], body: "{}"), skip: 1))
        guard case .refused = try await stage.go().result else {
            Issue.record("not refused")
            return
        }
        #expect(try await stage.send(.get, FlyStage.path() + "/lease").status == 404)

        stage.fly.setNextUpdate("worker", .wedged)
        let (change, intent) = try stage.change(await stage.observe())
        let task = Task { await stage.apply(change, intent) }
        while stage.world.transport.received.count(where: { $0.path.contains("/wait") }) == 0 { await Task.yield() }
        task.cancel()
        _ = await task.value
        #expect(try await stage.send(.get, FlyStage.path() + "/lease").status == 404)
    }

    @Test("11.7: the lease is renewed while a machine takes longer than the lease lasts")
    func aLongUpdate() async throws {
        let stage = try FlyStage.make { $0["seconds"] = ["replace": 120] }
        guard case .accepted = try await stage.go().result else {
            Issue.record("not accepted")
            return
        }
        let renewals = stage.world.transport.received.count { $0.method == .post && $0.path.hasSuffix("/lease") && $0.status == 201 }
        #expect(renewals > 20)
        #expect(try await stage.machine()["state"]?.string == "started")
    }

    @Test("11.7: a lease that has lapsed when it is given back is no error")
    func aLapsedLease() async throws {
        let stage = try FlyStage.make()
        stage.inject(Fault(method: .delete, path: "/lease", .answer(status: 404, headers: [:], body: #"{"error":"lease not found"}"#)))
        guard case .accepted = try await stage.go().result else {
            Issue.record("not accepted")
            return
        }
    }

    @Test("11.8: an update whose answer was lost is found by reading, and not sent again")
    func aLostUpdate() async throws {
        let stage = try FlyStage.make()
        stage.inject(Fault(method: .post, path: "/machines/", .dropAfter, skip: 1))
        let (result, change, intent) = try await stage.go()
        guard case .unknown = result else {
            Issue.record("\(result)")
            return
        }
        #expect(await stage.observe(resolution: change.resolution, intent: intent).fate == .inFlight)
        stage.pass(60)
        #expect(await stage.observe(resolution: change.resolution, intent: intent).fate == .tookEffect)
        #expect(await stage.apply(change, intent) == .alreadySo)
        #expect(try await stage.updates == [FlyStage.first])
    }

    @Test("11.10: a machine that is stopped stays stopped, with the new image")
    func aStoppedMachine() async throws {
        var stage = try FlyStage.make(machines: []) { app in
            app["machines"] = [["id": .string(FlyStage.first), "state": "stopped"]]
        }
        #expect(try await stage.walk().count == 1)
        #expect(try await stage.machine()["state"]?.string == "stopped")
        #expect(stage.world.transport.received.contains { String(decoding: $0.body, as: UTF8.self).contains(#""skip_launch":true"#) })
    }

    @Test("11.11: a machine that the proxy stops is no drift, also while it is waited for")
    func autostop() async throws {
        var stage = try FlyStage.make { $0["autostop"] = "stop" }
        stage.fly.autostop("worker", FlyStage.first)
        stage.pass(60)
        #expect(await stage.observe(.name("v87")).settlement == .settled)
        stage.fly.autostart("worker", FlyStage.first)
        stage.pass(60)
        stage.fly.setNextUpdate("worker", .autostops(after: .seconds(1)))
        #expect(try await stage.walk().count == 1)
        #expect(await stage.observe().settlement == .settled)
    }

    @Test("11.12: machines on an unreachable host are left alone and told, and the pin is not reached")
    func anUnreachableHost() async throws {
        let stage = try FlyStage.make(machines: [FlyStage.first, FlyStage.second])
        stage.fly.setHost("worker", FlyStage.second, isReachable: false)
        let (result, change, intent) = try await stage.go()
        guard case .accepted = result else {
            Issue.record("\(result)")
            return
        }
        let observation = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(try await stage.updates == [FlyStage.first])
        #expect(observation.failure?.reason == "HostUnreachable" && observation.failure?.next != nil)
        #expect(!stage.world.transport.received.contains { $0.path.contains(FlyStage.second) })
        #expect(observation.live.serving.count == 2)
    }

    @Test("11.13: waits stay within the vendor's bounds, and a wait that runs out goes on")
    func waits() async throws {
        let stage = try FlyStage.make { $0["seconds"] = ["replace": 100] }
        guard case .accepted = try await stage.go().result else {
            Issue.record("not accepted")
            return
        }
        let waits = stage.world.transport.received.filter { $0.path.contains("/wait") }
        #expect(waits.count > 10 && waits.dropLast().allSatisfy { $0.status == 408 } && waits.last?.status == 200)
        for wait in waits {
            let target = RequestTarget(url: FlyStage.url + wait.path)
            #expect((1...60).contains(target["timeout"].flatMap { Int($0) } ?? 0) && target["version"]?.count == 26)
        }
    }

    @Test("11.14: what is to be remembered of a release stands in the update's config")
    func metadata() async throws {
        let stage = try FlyStage.make()
        _ = try await stage.go()
        #expect(try await stage.releases == ["86"])
        #expect(!stage.world.transport.received.contains { $0.path.contains("/metadata") })
    }

    @Test("11.15: started is not healthy: checks have to pass")
    func checks() async throws {
        let stage = try FlyStage.make { $0["releases"] = [["version": 86, "image": "unhealthy"], ["version": 87]] }
        let (_, change, intent) = try await stage.go()
        #expect(try await stage.machine()["state"]?.string == "started")
        stage.pass(30)
        let observation = await stage.observe(resolution: change.resolution, intent: intent)
        guard case .failed(let problem) = observation.fate else {
            Issue.record("\(String(describing: observation.fate))")
            return
        }
        #expect(problem.reason == "ChecksFailing")
    }

    @Test("11.16: a machine that crashes again and again is not started")
    func aCrashLoop() async throws {
        let stage = try FlyStage.make { $0["releases"] = [["version": 86, "image": "crashes"], ["version": 87]] }
        let (_, change, intent) = try await stage.go()
        let observation = await stage.observe(resolution: change.resolution, intent: intent)
        guard case .failed(let problem) = observation.fate else {
            Issue.record("\(String(describing: observation.fate))")
            return
        }
        #expect(problem.reason == "CrashLoop")
        stage.pass(120)
        #expect(await stage.observe(resolution: change.resolution).failure?.reason == "Crashed")
    }

    @Test("11.17: destroyed machines are not what runs")
    func destroyedMachines() async throws {
        let stage = try FlyStage.make { app in
            app["machines"] = [["id": .string(FlyStage.first)], ["id": .string(FlyStage.second), "release": 85, "state": "destroyed"]]
        }
        #expect(await stage.observe().live.serving.map(\.label) == ["v87 (deployment-87)"])
    }

    @Test("11.18: machines of release commands, consoles and tests are not what runs")
    func helpers() async throws {
        var stage = try FlyStage.make()
        stage.fly.addHelper("worker", .releaseCommand)
        stage.fly.addHelper("worker", .console)
        stage.fly.addHelper("worker", .test)
        stage.pass(60)
        #expect(try await stage.walk().count == 1)
        #expect(try await stage.updates == [FlyStage.first])
    }

    @Test("11.19: different images are told as such, and made one")
    func mixedImages() async throws {
        var stage = try FlyStage.make(machines: []) { app in
            app["machines"] = [
                ["id": .string(FlyStage.first), "release": 86], ["id": .string(FlyStage.second)],
                ["id": .string(FlyStage.third), "release": 85],
            ]
        }
        let observation = await stage.observe()
        #expect(observation.live.declared?.label == "v87 (deployment-87)")
        #expect(observation.live.serving.count == 3)
        #expect(observation.progress?.hasPrefix("mixed images: ") == true)
        #expect(observation.notes.first?.contains("v86 (deployment-86) on \(FlyStage.first)") == true)
        try await stage.walk()
        #expect(try await stage.updates.sorted() == [FlyStage.second, FlyStage.third])
    }

    @Test("11.20: a plan says which staged secrets an update applies")
    func stagedSecrets() async throws {
        let stage = try FlyStage.make()
        stage.pass(5)
        stage.fly.stageSecret("worker", "API_KEY", "hidden")
        #expect(await stage.observe().route(to: "v86")?.cautions.contains("applies secrets that are staged: API_KEY") == true)
    }

    @Test("11.21: an update changes the image and leaves the guest as it is")
    func onlyTheImage() async throws {
        let stage = try FlyStage.make { app in
            app["machines"] = [
                ["id": .string(FlyStage.first), "config": ["odd": ["number": .number("1.10"), "big": .number("12345678901234567890")]]]
            ]
        }
        let before = try #require(try await stage.send(.get, FlyStage.path()).body["config"])
        _ = try await stage.go()
        var after = try #require(try await stage.send(.get, FlyStage.path()).body["config"])
        #expect(after["odd"]?.description == #"{"number":1.10,"big":12345678901234567890}"#)
        after["image"] = before["image"]
        after["metadata"] = before["metadata"]
        #expect(after.description == before.description)
    }

    @Test("11.22: the cookie that leads to the same place is kept")
    func affinity() async throws {
        let stage = try FlyStage.make()
        _ = await stage.observe()
        // The simulator sends it to those who do not have it.
        #expect(await stage.observe().live.problem == nil)
    }

    @Test("11.23: a 404 that is no JSON says nothing of the app or a machine")
    func aPlainNotFound() async throws {
        let stage = try FlyStage.make()
        stage.inject(Fault(method: .get, .answer(status: 404, headers: ["Content-Type": "text/plain"], body: "404 page not found\n")))
        let problem = try #require(await stage.observe().live.problem)
        #expect(problem.next?.hasPrefix("check FLY_FLAPS_BASE_URL") == true)
        stage.inject(
            Fault(method: .head, path: "/v2/", .answer(status: 404, headers: ["Content-Type": "text/plain"], body: "")))
        stage.inject(
            Fault(
                method: .get, path: "/v2/", .answer(status: 404, headers: ["Content-Type": "text/plain"], body: "404 page not found\n")))
        #expect(await stage.observe().candidate("v86")?.gone == nil)
    }

    @Test("11.24: somebody's deploy in between is yielded to")
    func somebodyElse() async throws {
        let stage = try FlyStage.make()
        let (change, intent) = try stage.change(await stage.observe())
        stage.fly.holdLease("worker", FlyStage.first, for: .seconds(13))
        guard case .throttled(let problem) = await stage.apply(change, intent) else {
            Issue.record("not throttled")
            return
        }
        #expect(problem.retryAfter == .seconds(13))
        #expect(await stage.observe().operation?.summary.contains("is leased by ada@tokens.fly.io") == true)
        stage.pass(20)
        stage.fly.deploy("worker", tag: "deployment-88")
        stage.pass(60)
        guard case .refused(let conflict) = await stage.apply(change, intent) else {
            Issue.record("not refused")
            return
        }
        #expect(conflict.reason == "Conflict")
        #expect(try await stage.updates.isEmpty)
    }
}
