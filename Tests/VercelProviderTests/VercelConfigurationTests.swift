import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import Testing
import VercelProvider

/// Environment variables of production: which are compared, which are written, and the one build that gives them to a release.
@Suite struct VercelConfigurationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var env: [JSON] = []
        var desired: DesiredConfiguration
        var isPolicyOn = false
        /// With a fence: the build is promoted by the way itself.
        var sent: [String]
        var testDescription: String { why }

        static let all: [Case] = [
            Case(
                why: "as desired: nothing is written", env: [.variable("API_URL", "new")], desired: .make(["API_URL": "new"]), sent: []),
            Case(
                why: "a key that is missing is added", desired: .make(["API_URL": "new"]), sent: ["put API_URL", "renew dpl_C", "promote"]),
            Case(
                why: "two keys, one after the other, and one build", env: [.variable("API_URL", "old")],
                desired: .make(["API_URL": "new"], secrets: ["DSN": "s"]),
                sent: ["put API_URL", "put DSN", "renew dpl_C", "promote"]),
            Case(
                why: "a secret that cannot be read back is set once", env: [.variable("DSN", "s", "sensitive")],
                desired: .make(secrets: ["DSN": "s"]), sent: ["put DSN", "renew dpl_C", "promote"]),
            Case(
                why: "a reference whose value can be read and is right is left as it is", env: [.variable("DSN", "s")],
                desired: .make(secrets: ["DSN": "s"]), sent: []),
            Case(
                why: "the team's policy makes a secret of a literal", env: [.variable("API_URL", "old", "plain")],
                desired: .make(["API_URL": "new", "MODE": "x"]), isPolicyOn: true,
                sent: ["put API_URL", "put MODE", "renew dpl_C", "promote"]),
            Case(
                why: "one that previews share keeps its value there",
                env: [.variable("API_URL", "old", "encrypted", ["production", "preview"])],
                desired: .make(["API_URL": "new"]), sent: ["detach API_URL", "put API_URL", "renew dpl_C", "promote"]),
            Case(
                why: "one that is shared and right is left alone",
                env: [.variable("API_URL", "new", "plain", ["production", "preview", "development"])], desired: .make(["API_URL": "new"]),
                sent: []),
            Case(
                why: "one for previews only is not ours", env: [.variable("API_URL", "old", "plain", ["preview"])],
                desired: .make(["API_URL": "new"]), sent: ["put API_URL", "renew dpl_C", "promote"]),
            Case(
                why: "a key that nobody named stays", env: [.variable("API_URL", "new"), .variable("OTHER", "x")],
                desired: .make(["API_URL": "new"]), sent: []),
            Case(
                why: "exact: a key that nobody named goes, and no build is made for that",
                env: [.variable("API_URL", "new"), .variable("OTHER", "x"), .variable("VERCEL_URL", "", "system")],
                desired: .make(["API_URL": "new"], isExact: true), sent: ["remove OTHER"]),
            Case(
                why: "exact: one that previews share goes from production only",
                env: [.variable("OTHER", "x", "plain", ["production", "preview"])], desired: .make(isExact: true), sent: ["detach OTHER"]),
        ]
    }

    @Test(arguments: Case.all) func aWayEndsWithTheKeysInWhatIsLive(_ example: Case) async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"), allowRebuild: true, sensitivePolicy: example.isPolicyOn) {
            $0["env"] = .array(example.env)
        }
        var walk = VercelWalk(stage, example.desired, isFenced: true)
        let (end, sent) = try await walk.go()
        #expect(end == .arrived)
        #expect(sent.map { $0.hasPrefix("promote ") ? "promote" : $0 } == example.sent)
        #expect(await stage.builds == (example.sent.contains("renew dpl_C") ? 1 : 0))
        for key in example.desired.values.keys {
            let (built, set) = await stage.markers(key)
            #expect(built != nil && built == set, "\(key) is in the build as it is set")
        }
        let writes = stage.world.writes
        #expect(try await walk.go().sent == [], "the next pass finds nothing to do")
        #expect(stage.world.writes == writes)
    }

    @Test(arguments: [
        ("old", ["put API_URL", "rollback dpl_A"], "what the old build ran with is wanted again: it is not built anew"),
        ("other", [], "it ran with another value: only a build could change that, and the spec does not allow one"),
    ])
    func anOldBuildThatRanWithTheValueComesBackAtOnce(value: String, sent: [String], why: String) async throws {
        let stage = try VercelStage.make(pin: .name("dpl_A")) { $0["env"] = [.variable("API_URL", "new")] }
        stage.vercel.setVariable("podcast-web", "API_URL", "newest")
        var walk = VercelWalk(stage, .make(["API_URL": value]), isFenced: true)
        let ran = ConfigurationEntry(fingerprint: ConfigurationKeeper.fingerprint("API_URL", Secret("old")), ran: true)
        walk.records = [
            ReleaseRecord(
                resolution: Resolution(
                    pin: .name("dpl_A"), identity: ArtifactIdentity(.deployment, "dpl_A"), label: "dpl_A",
                    revision: Revision(.digest, "0")),
                quality: .good, configuration: ["API_URL": ran], deployment: "dpl_A", reached: Timestamp(millisecondsSinceEpoch: 0))
        ]
        let (end, written) = try await walk.go()
        #expect(written == sent, "\(why)")
        #expect(await stage.builds == 0)
        if !sent.isEmpty {
            #expect(end == .arrived)
            #expect(try await walk.go().sent == [], "and it stays")
        }
    }

    @Test func whatIsWrittenStandsInProductionAloneAndInNoToken() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"), allowRebuild: true) {
            $0["env"] = [.variable("API_URL", "old value", "encrypted", ["production", "preview", "development"])]
        }
        let before = await stage.project["env"]?.elements.first
        var walk = VercelWalk(stage, .make(["API_URL": "very new value"], secrets: ["DSN": "very secret value"]))
        let observation = await walk.observe()
        #expect(try await walk.go().end == .arrived)
        let variables = await stage.project["env"]?.elements ?? []
        #expect(variables.count == 3)
        #expect(variables.first?["target"] == ["preview", "development"])
        #expect(variables.first?["value"] == before?["value"])
        #expect(variables.dropFirst().allSatisfy { $0["target"] == ["production"] })
        #expect(variables.dropFirst().map { $0["type"]?.string } == ["encrypted", "sensitive"])
        let said = "\(observation) \(await walk.observe()) \(walk.known) \(String(describing: walk.planned))"
        for value in ["old value", "very new value", "very secret value"] { #expect(!said.contains(value)) }
    }

    @Test func theRouteSaysWhatItWritesAndThatItBuilds() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"), allowRebuild: true) {
            $0["env"] = [.variable("OLD", "x"), .variable("API_URL", "old", "encrypted", ["production", "preview"])]
        }
        let walk = VercelWalk(stage, .make(["API_URL": "new"], secrets: ["DSN": "s"], isExact: true))
        let configuration = try #require(await walk.observe().configuration)
        #expect(configuration.differences.map(\.key) == ["API_URL", "DSN", "OLD"])
        #expect(configuration.differences.map(\.kind) == [.changed, .missing, .extra])
        let route = try #require(configuration.route)
        #expect(route.means == "set 2 keys, remove 1 key, then one build of commit ccccccc")
        #expect(route.class == .minutes)
        #expect(route.cautions.first == "dpl_C was built before API_URL, DSN had the value that the spec gives")
        #expect(route.cautions.contains("variables that preview or development share keep their value there"))
        #expect(route.refusal == nil)
    }

    @Test func aKeyThatAnIntegrationSetsIsRefusedBeforeAnythingIsWritten() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"), allowRebuild: true) {
            $0["env"] = [.variable("VERCEL_URL", "", "system")]
        }
        var walk = VercelWalk(stage, .make(["VERCEL_URL": "mine"]))
        guard case .blocked(let problem) = try await walk.pass() else {
            Issue.record("not blocked")
            return
        }
        #expect(
            problem.description
                == "vercel/web: VERCEL_URL is set by Vercel or an integration; disconnect the integration from the project, or take the key out of env"
        )
        #expect(stage.world.writes == 0)
    }

    @Test func variablesThatTheTokenMayNotSeeAreAProblemAndNoAbsence() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"), allowRebuild: true)
        let body = #"{"envs":[],"hiddenProductionEnvCount":3}"#
        stage.inject(Fault(method: .get, path: "/v10/projects/prj_podcastweb/env", .answer(status: 200, headers: [:], body: body)))
        let configuration = try #require(await VercelWalk(stage, .make(["API_URL": "x"])).observe().configuration)
        #expect(configuration.problem?.reason == "VariablesHidden")
        #expect(!configuration.differences.isEmpty, "never as desired")
    }

    @Test func variablesThatCannotBeReadAreUnknownWhereTheyAreManagedAndNotMissedWhereNot() async throws {
        let stage = try VercelStage.make()
        func refuse() {
            stage.inject(Fault(method: .get, path: "/v10/projects/prj_podcastweb/env", .answer(status: 403, headers: [:], body: "{}")))
        }
        refuse()
        #expect(await VercelWalk(stage, .make(["API_URL": "x"])).observe().live.problem?.reason == "Forbidden")
        refuse()
        let observation = await VercelWalk(stage).observe()
        #expect(observation.configuration == nil)
        #expect(observation.route(to: "dpl_A")?.refusal == nil)
    }

    @Test func observingCostsNothingMoreWhereNothingIsManaged() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C")) { $0["env"] = [.variable("API_URL", "x")] }
        _ = await VercelWalk(stage).observe()
        #expect(stage.world.transport.received.map(\.method) == [.get])
        #expect(await VercelWalk(stage).observe().configuration == nil)
        let before = stage.world.transport.received.count
        _ = await VercelWalk(stage, .make(["API_URL": "x"])).observe()
        #expect(stage.world.transport.received.count - before == 2, "managed and as desired: one request more")
    }
}
