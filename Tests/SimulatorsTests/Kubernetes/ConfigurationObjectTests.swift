import HTTPCore
import JSONValues
import Simulators
import Testing

/// ConfigMaps and Secrets as objects of the simulated API server.
struct ConfigurationObjectTests {
    @Test(arguments: ["ConfigMap", "Secret"])
    func anObjectIsCreatedReadListedAndDeletedInItsNamespace(_ kind: String) async throws {
        let cluster = AskedCluster(["namespaces": ["other"]])
        let path = "\(AskedCluster.core)/\(kind.lowercased())s"
        let made = try await cluster.create(kind, "settings", ["data": ["LEVEL": "aW5mbw=="]])
        #expect(made.status == 201)
        #expect(made.body["metadata"]?["generation"] == nil, "only workloads count generations")
        let read = try await cluster.send(.get, "\(path)/settings")
        #expect(read.status == 200)
        #expect(read.body["data"] == ["LEVEL": "aW5mbw=="])
        #expect(read.body["kind"]?.string == kind)
        let list = try await cluster.send(.get, path).body
        #expect(list["kind"]?.string == "\(kind)List")
        #expect(list["items"]?.elements.compactMap { $0["metadata"]?["name"]?.string } == ["settings"])
        #expect(try await cluster.send(.get, "/api/v1/namespaces/other/\(kind.lowercased())s").body["items"] == [])
        #expect(try await cluster.send(.delete, "\(path)/settings").status == 200)
        let gone = try await cluster.send(.get, "\(path)/settings")
        #expect(gone.status == 404)
        #expect(gone.body["message"]?.string == "\(kind.lowercased())s \"settings\" not found")
        #expect(await cluster.changes() == 2)
    }

    @Test func whatExistsIsNotCreatedAgain() async throws {
        let cluster = AskedCluster()
        _ = try await cluster.create("ConfigMap", "settings", ["data": ["A": "1"]])
        let again = try await cluster.create("ConfigMap", "settings", ["data": ["A": "2"]])
        #expect(again.status == 409)
        #expect(again.body["reason"] == "AlreadyExists")
        #expect(again.body["message"] == "configmaps \"settings\" already exists")
        #expect(await cluster.changes() == 1)
    }

    @Test(
        arguments: [
            (["data": ["A": "2"]], "data: Forbidden: field is immutable when `immutable` is set", "another value"),
            (["data": ["B": "1"]], "data: Forbidden: field is immutable when `immutable` is set", "another key"),
            (["immutable": false], "immutable: Forbidden: field is immutable when `immutable` is set", "what cannot be taken back"),
            (
                ["immutable": false, "data": ["A": "2"]],
                "[immutable: Forbidden: field is immutable when `immutable` is set, "
                    + "data: Forbidden: field is immutable when `immutable` is set]", "both at once"
            ),
            (["metadata": ["labels": ["team": "web"]]], nil, "its labels may change"),
            (["data": ["A": "1"]], nil, "what says the same is no change"),
        ] as [(JSON, String?, Comment)])
    func immutableDataStays(_ patch: JSON, _ refusal: String?, _ why: Comment) async throws {
        let cluster = AskedCluster([
            "configMaps": [["namespace": "prod", "name": "frozen", "data": ["A": "1"], "immutable": true]]
        ])
        let answer = try await cluster.send(
            .patch, "\(AskedCluster.core)/configmaps/frozen?fieldManager=me", patch, type: "application/merge-patch+json")
        #expect(answer.status == (refusal == nil ? 200 : 422), why)
        if let refusal { #expect(answer.body["message"]?.string == "ConfigMap \"frozen\" is invalid: \(refusal)", why) }
    }

    @Test(
        arguments: [
            ("ConfigMap", ["data": ["a b": "1"]], 422, "a key with a space"),
            ("ConfigMap", ["data": ["a.b-c_D": "1"]], 201, "every character that a key may have"),
            ("Secret", ["data": ["A": "not base64!"]], 400, "data is base64"),
            ("Secret", ["stringData": ["A": "not base64!"]], 201, "stringData is not"),
        ] as [(String, JSON, Int, Comment)])
    func keysAndValuesAreLookedAt(_ kind: String, _ body: JSON, _ status: Int, _ why: Comment) async throws {
        #expect(try await AskedCluster().create(kind, "settings", body).status == status, why)
    }

    @Test func stringDataIsStoredAsDataAndCannotBeRead() async throws {
        let cluster = AskedCluster()
        let made = try await cluster.create("Secret", "dsn", ["data": ["A": "b2xk"], "stringData": ["A": "new", "B": "two"]]).body
        #expect(made["data"] == ["A": "bmV3", "B": "dHdv"])
        #expect(made["stringData"] == nil)
        #expect(made["type"] == "Opaque")
    }

    // MARK: - Server-side apply

    @Test func anApplyMakesWhatIsNotThereAndSaysSo() async throws {
        let cluster = AskedCluster()
        #expect(try await cluster.applyConfigMap(["A": "1"], by: "belay").status == 201)
        #expect(try await cluster.applyConfigMap(["A": "1"], by: "belay").status == 200)
        #expect(await cluster.changes() == 1)
    }

    @Test func anApplyThatChangesNothingLeavesTheVersionEvenLater() async throws {
        let cluster = AskedCluster()
        let first = try await cluster.applyConfigMap(["A": "1"], by: "belay").body
        cluster.clock.advance(by: .seconds(60))
        let second = try await cluster.applyConfigMap(["A": "1"], by: "belay").body
        #expect(first["metadata"]?["resourceVersion"] == second["metadata"]?["resourceVersion"])
    }

    @Test(
        arguments: [
            (["A": "1"], ["A": "1"], "what it names no longer goes, for nobody else has it"),
            (["A": "1", "C": "3"], ["A": "1", "C": "3"], "another key comes in the same apply"),
            (["A": "1", "B": "2"], ["A": "1", "B": "2"], "the same again"),
            ([:], ["A": "1"], "a key that two applied stays for the other"),
        ] as [(JSON, JSON, Comment)])
    func keysOfAConfigMapBelongToWhoeverAppliesThem(_ next: JSON, _ left: JSON, _ why: Comment) async throws {
        let cluster = AskedCluster()
        _ = try await cluster.applyConfigMap(["A": "1"], by: "helm")
        _ = try await cluster.applyConfigMap(["A": "1", "B": "2"], by: "belay")
        let answer = try await cluster.applyConfigMap(next, by: "belay")
        #expect(answer.status == 200, why)
        #expect(answer.body["data"] == left, why)
    }

    @Test func aKeyOfAnotherWithAnotherValueIsAConflict() async throws {
        let cluster = AskedCluster()
        _ = try await cluster.applyConfigMap(["A": "1"], by: "helm")
        let answer = try await cluster.applyConfigMap(["A": "2"], by: "belay")
        #expect(answer.status == 409)
        #expect(answer.body["message"] == "Apply failed with 1 conflict: conflict with \"helm\": .data.A")
    }

    // MARK: - What the world shows

    @Test func theWorldShowsMarkersInPlaceOfSecrets() async throws {
        func marker(_ value: String) async throws -> (whole: String, marker: String?) {
            let cluster = AskedCluster([
                "secrets": [
                    [
                        "namespace": "prod", "name": "dsn", "stringData": ["DSN": .string(value)],
                        "annotations": ["kubectl.kubernetes.io/last-applied-configuration": .string(value)],
                    ]
                ]
            ])
            let world = await cluster.simulator.world
            let secret = world["objects"]?.elements.first { $0["kind"] == "Secret" }
            return (world.description, secret?["data"]?["DSN"]?.string)
        }
        let one = try await marker("postgres://hunter2")
        #expect(!one.whole.contains("hunter2"))
        #expect(!one.whole.contains("cG9zdGdyZXM6Ly9odW50ZXIy"))
        let other = try await marker("postgres://hunter3")
        #expect(one.marker?.count == 10)
        #expect(one.marker != other.marker)
        #expect(try await marker("postgres://hunter2").marker == one.marker)
    }
}
