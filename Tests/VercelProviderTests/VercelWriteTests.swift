import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import Testing
import VercelProvider

/// Every write against everything that can come of it: the right answer, the right fate, and never a second effect.
@Suite struct VercelWriteTests {
    enum Write: CaseIterable {
        case rollback, promote, rebuild

        var pin: Pin {
            switch self {
            case .rollback: .name("dpl_A")
            case .promote: .name("dpl_S")
            case .rebuild: .name("dpl_P")
            }
        }
    }

    enum Answer: CaseIterable {
        case droppedBefore, droppedAfter, conflict, preconditionFailed, unprocessable, throttledWithWait, throttledUntilReset, throttled
        case failed, unavailable, truncated, unexpectedShape, plan, unauthorized, forbidden, missing, gone

        var fault: Fault.Kind {
            func answer(_ status: Int, _ body: String = #"{"error":{"code":"x","message":"no"}}"#, _ headers: HTTPHeaders = [:])
                -> Fault.Kind
            {
                .answer(status: status, headers: headers, body: body)
            }
            switch self {
            case .droppedBefore: return .dropBefore
            case .droppedAfter: return .dropAfter
            case .conflict: return answer(409)
            case .preconditionFailed: return answer(412)
            case .unprocessable: return answer(422)
            case .throttledWithWait: return answer(429, #"{"error":{"code":"too_many_requests","message":"x"}}"#, ["Retry-After": "17"])
            case .throttledUntilReset:
                return answer(
                    429, #"{"error":{"code":"rate_limited","message":"The rate limit of 6 exceeded. Try again in 7 days"}}"#,
                    ["Date": "Mon, 23 Nov 2026 00:00:00 GMT", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795996800"])
            case .throttled: return answer(429, "")
            case .failed: return answer(500, #"{"error":{"code":"internal_server_error","message":"x"}}"#)
            case .unavailable: return answer(503, "<html>Service Unavailable</html>")
            case .truncated: return .truncate
            case .unexpectedShape: return .replaceAnswer(status: 200, headers: [:], body: #"{"unexpected":true}"#)
            case .plan: return answer(402, #"{"error":{"code":"payment_required","message":"upgrade to pro"}}"#)
            case .unauthorized: return answer(401)
            case .forbidden: return answer(403)
            case .missing: return answer(404)
            case .gone: return answer(410)
            }
        }

        enum Kind: Equatable {
            case refused(String)
            case throttled(Duration?)
            case unknown
        }

        var kind: Kind {
            switch self {
            case .droppedBefore, .droppedAfter, .failed, .unavailable, .truncated, .unexpectedShape: .unknown
            case .conflict, .preconditionFailed: .refused("Conflict")
            case .unprocessable: .refused("Rejected")
            case .throttledWithWait: .throttled(.seconds(17))
            // Seven days: told in the vendor's words, asked about after an hour.
            case .throttledUntilReset: .throttled(.seconds(3600))
            case .throttled: .throttled(nil)
            case .plan: .refused("PlanLimit")
            case .unauthorized: .refused("Unauthorized")
            case .forbidden: .refused("Forbidden")
            case .missing: .refused("NotFound")
            case .gone: .refused("Gone")
            }
        }

        /// Whether the request reached Vercel all the same.
        var takesEffect: Bool { [.droppedAfter, .truncated, .unexpectedShape].contains(self) }
    }

    @Test(arguments: Write.allCases, Answer.allCases)
    func whatComesOfAWriteIsToldAndFoundByReading(_ write: Write, _ answer: Answer) async throws {
        let stage = try VercelStage.make(pin: write.pin, allowRebuild: true)
        stage.inject(Fault(method: .post, answer.fault))
        let (result, change, intent) = try await stage.go()

        switch (result, answer.kind) {
        case (.unknown, .unknown): break
        case (.refused(let problem), .refused(let reason)): #expect(problem.reason == reason)
        case (.throttled(let problem), .throttled(let wait)): #expect(problem.retryAfter == wait)
        default: Issue.record("\(write) answered with \(answer) gave \(result)")
        }
        #expect(stage.world.writes == 1)

        let soon = await stage.observe(resolution: change.resolution, intent: intent)
        if answer.takesEffect {
            #expect(soon.fate == .inFlight)
        } else {
            guard case .undecided = soon.fate else {
                Issue.record("right after \(answer) the fate is \(String(describing: soon.fate))")
                return
            }
        }
        stage.pass(.seconds(91))
        let late = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(late.fate == (answer.takesEffect ? .tookEffect : .void))
        #expect((late.live.declared?.matches(change.resolution) ?? false) == answer.takesEffect)
        #expect(await stage.world.effects() == (answer.takesEffect ? 1 : 0))
        #expect(stage.world.writes == 1)
    }

    @Test(arguments: Write.allCases) func anAcceptedWriteSettles(_ write: Write) async throws {
        let stage = try VercelStage.make(pin: write.pin, allowRebuild: true)
        let (result, change, intent) = try await stage.go()
        guard case .accepted(let facts, _) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(facts["deployment"]?.hasPrefix("dpl_") == true)
        #expect(await stage.observe(resolution: change.resolution, intent: intent).fate == .inFlight)
        stage.pass(.seconds(120))
        let observation = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(observation.fate == .tookEffect)
        #expect(observation.live.declared?.matches(change.resolution) == true)
        #expect(observation.settlement == .settled)
        #expect(await stage.world.effects() == 1)
    }

    @Test(arguments: Write.allCases) func withoutVercelsTimeNothingIsSentWhoseFateCouldNeverBeTold(_ write: Write) async throws {
        let stage = try VercelStage.make(pin: write.pin, allowRebuild: true)
        var (change, intent) = try stage.world.change(after: await stage.observe())
        intent.providerTime = nil
        let result = await stage.world.apply(change, intent)
        guard case .refused(let problem) = result else {
            Issue.record("\(write) gave \(result)")
            return
        }
        #expect(problem.reason == "ProviderTimeMissing")
        #expect(problem.next == "check whether a proxy in front of Vercel's API removes the header Date")
        #expect(stage.world.writes == 0)
        change.route.isIdempotent = true
        guard case .accepted = await stage.world.apply(change, intent) else {
            Issue.record("a write that may be repeated needs no time")
            return
        }
    }

    @Test func aRollbackTellsVercelWhoAskedAndWhy() async throws {
        let stage = try VercelStage.make()
        _ = try await stage.go()
        let sent = try #require(stage.world.transport.received.last)
        #expect(sent.path.hasPrefix("/v1/projects/prj_podcastweb/rollback/dpl_A?description=Belay%3A%20web%20to%20dpl_A"))
        #expect(String(decoding: sent.body, as: UTF8.self) == "{}")
        #expect(await stage.project["rollbackDescription"]?.string?.contains("c1a000000000") == true)
    }

    @Test func aBuildCarriesItsIntentAndItsSource() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_P"), allowRebuild: true)
        let (_, _, intent) = try await stage.go()
        let made = try #require(await stage.project["deployments"]?.elements.last)
        #expect(made["meta"]?["belay-intent"]?.string == intent.id)
        #expect(made["meta"]?["belay-source"]?.string == "dpl_P")
        #expect(made["target"]?.string == "production")
        #expect(stage.world.transport.received.last?.path.contains("forceNew=1") == true)
    }

    @Test func aRouteOfAnotherVersionIsRefusedAndNotSent() async throws {
        let stage = try VercelStage.make()
        var (change, intent) = try stage.world.change(after: await stage.observe())
        change.route.token = "teleport dpl_A"
        guard case .refused(let problem) = await stage.world.apply(change, intent) else {
            Issue.record("it was not refused")
            return
        }
        #expect(problem.reason == "UnknownRoute")
        #expect(stage.world.writes == 0)
    }

    @Test func aRequestThatCertainlyNeverLeftIsRefused() async throws {
        let stage = try VercelStage.make()
        let (change, intent) = try stage.world.change(after: await stage.observe())
        let nowhere = try VercelProvider.connect(
            ProviderEnvironment(
                variables: ["VERCEL_TOKEN": VercelStage.token], transport: SimulatedTransport([:]),
                now: { Timestamp(millisecondsSinceEpoch: 0) })
        ).get()
        let result = await AnyProvider(nowhere).apply(
            change, to: stage.world.component, ApplyRequest(component: "web", intent: intent, revision: change.resolution.revision))
        guard case .refused(let problem) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(problem.reason == "ProviderUnreachable")
    }
}
