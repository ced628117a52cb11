import HTTPCore
import JSONValues
import Simulators
import Testing

@Suite struct FlyRegistryTests {
    private static let manifests = "/v2/worker/manifests"

    @Test(arguments: [HTTPMethod.get, .head])
    func aManifestIsFoundByTagAndByDigest(_ method: HTTPMethod) async throws {
        let stage = try FlyStage()
        let byTag = try await stage.send(method, "\(Self.manifests)/deployment-87")
        #expect(byTag.status == 200)
        let digest = try #require(byTag.headers["Docker-Content-Digest"])
        #expect(try await stage.machine()["image_ref"]?["digest"]?.string == digest)
        #expect(try await stage.send(method, "\(Self.manifests)/\(digest)").headers["Docker-Content-Digest"] == digest)
    }

    @Test func whatIsNotThereIsUnknown() async throws {
        let stage = try FlyStage()
        stage.fly.pruneImage("worker", tag: "deployment-86")
        let digest = try await stage.pinned("deployment-86").split(separator: "@").last ?? ""
        for reference in ["deployment-86", "deployment-1", String(digest)] {
            let answer = try await stage.send(.get, "\(Self.manifests)/\(reference)")
            #expect(answer.status == 404)
            #expect(answer.body["errors"]?[0]?["code"]?.string == "MANIFEST_UNKNOWN")
        }
        #expect(try await stage.send(.get, "/v2/other/manifests/latest").status == 404)
    }

    @Test func aPrunedImageIsRefusedByItsTagAndCannotBePulledByItsDigest() async throws {
        let stage = try FlyStage()
        let pinned = try await stage.pinned("deployment-86")
        stage.fly.pruneImage("worker", tag: "deployment-86")
        let refused = try await stage.update("registry.fly.io/worker:deployment-86")
        #expect(refused.status == 400 && refused.error?.contains("MANIFEST_UNKNOWN") == true)
        let before = try await stage.machine()["instance_id"]
        #expect(try await stage.update(pinned).status == 200)
        stage.pass(60)
        #expect(try await stage.machine()["instance_id"] == before)
        #expect(try await stage.state() == "started")
    }

    @Test func aTagMayNameAnIndexWhileMachinesNameItsManifest() async throws {
        let stage = try FlyStage { $0["releases"] = [["version": 86, "index": true], ["version": 87]] }
        let index = try await stage.send(.get, "\(Self.manifests)/deployment-86")
        let digest = try #require(index.headers["Docker-Content-Digest"])
        #expect(index.headers["Content-Type"] == "application/vnd.oci.image.index.v1+json")
        let manifest = try #require(index.body["manifests"]?[0]?["digest"]?.string)
        #expect(manifest != digest)
        #expect(try await stage.send(.get, "\(Self.manifests)/\(digest)").headers["Docker-Content-Digest"] == digest)
        _ = try await stage.update("registry.fly.io/worker@\(digest)")
        #expect(try await stage.machine()["image_ref"]?["digest"]?.string == manifest)
        let one = try await stage.send(.get, "\(Self.manifests)/\(manifest)")
        #expect(one.headers["Docker-Content-Digest"] == manifest)
        #expect(one.headers["Content-Type"] == "application/vnd.oci.image.manifest.v1+json")
    }

    @Test func aTagMayMove() async throws {
        let stage = try FlyStage()
        let old = try await stage.pinned("deployment-86")
        let moved = "sha256:" + String(repeating: "a", count: 64)
        stage.fly.moveTag("worker", tag: "deployment-86", digest: moved)
        #expect(try await stage.send(.head, "\(Self.manifests)/deployment-86").headers["Docker-Content-Digest"] == moved)
        _ = try await stage.update("registry.fly.io/worker:deployment-86")
        #expect(try await stage.machine()["image_ref"]?["digest"]?.string == moved)
        let digest = old.split(separator: "@").last ?? ""
        #expect(try await stage.send(.head, "\(Self.manifests)/\(digest)").status == 200, "what it named before is still there")
    }
}
