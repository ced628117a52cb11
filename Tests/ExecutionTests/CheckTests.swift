import Execution
import HTTPCore
import Model
import State
import TestDoubles
import Testing

struct CheckTests {
    private let web = ResourceID.component("web")
    private let step = "advance/component/web"

    private func failure(_ check: Check, _ response: HTTPResponse) async -> String? {
        var check = check
        check.within = .zero
        let pass = Pass(system: .make(.make(verify: [check])), transport: FakeTransport { _ in .success(response) })
        return await pass.run(pass.world()).outcome(of: step)?.problem?.message
    }

    private func json(_ text: String) -> HTTPResponse { HTTPResponse(status: 200, body: Array(text.utf8)) }

    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var check = Check.make()
        var response: HTTPResponse
        var saw: String?
        var testDescription: String { why }
    }

    static let cases = [
        Case(why: "the status is enough", response: .init(status: 200)),
        Case(
            why: "another status, with what the server says about it",
            response: .init(status: 503, body: Array("no\u{1B}[31m workers\n\n".utf8)),
            saw: "answered 503, expected 200; it began with: no [31m workers"),
        Case(
            why: "a redirect is told, without its query",
            response: .init(status: 302, headers: ["Location": "https://a@login.example/x?t=1"]),
            saw: "answered 302, expected 200; it redirects to https://login.example/x, and redirects are not followed"),
        Case(why: "text in the body", check: .make(body: "ok"), response: .init(status: 200, body: Array("all ok".utf8))),
        Case(
            why: "missing text", check: .make(body: "ok"), response: .init(status: 200, body: Array("fine".utf8)),
            saw: "answered without the text \"ok\"; it began with: fine"),
        Case(
            why: "a path through objects and arrays",
            check: .make(json: [.init(path: "checks.1.status", value: .string("ok")), .init(path: "n", value: .number(1))]),
            response: .init(status: 200, body: Array(#"{"n":1.0,"checks":[{"status":"no"},{"status":"ok"}]}"#.utf8))),
        Case(
            why: "null is a value", check: .make(json: [.init(path: "error", value: .null)]),
            response: .init(status: 200, body: Array(#"{"error":null}"#.utf8))),
        Case(
            why: "the first difference", check: .make(json: [.init(path: "db", value: .bool(true)), .init(path: "x", value: .null)]),
            response: .init(status: 200, body: Array(#"{"db":false}"#.utf8)), saw: "answered db = false, expected true"),
        Case(
            why: "a number as text is not the number", check: .make(json: [.init(path: "n", value: .number(1))]),
            response: .init(status: 200, body: Array(#"{"n":"1"}"#.utf8)), saw: #"answered n = "1", expected 1"#),
        Case(
            why: "a path that leads nowhere", check: .make(json: [.init(path: "a.0.b", value: .null)]),
            response: .init(status: 200, body: Array(#"{"a":[]}"#.utf8)), saw: #"answered without a.0.b; it began with: {"a":[]}"#),
        Case(
            why: "not JSON", check: .make(json: [.init(path: "a", value: .null)]), response: .init(status: 200, body: Array("<html>".utf8)),
            saw: "answered what is not JSON at byte 0: expected a value; it began with: <html>"),
        Case(
            why: "long bodies are cut", check: .make(body: "ok"),
            response: .init(status: 200, body: Array(String(repeating: "x", count: 5000).utf8)),
            saw: "answered without the text \"ok\"; it began with: \(String(repeating: "x", count: 200))…"),
    ]

    @Test(arguments: cases)
    func aCheckSaysWhatItSaw(case example: Case) async {
        let message = await failure(example.check, example.response)
        #expect(
            message
                == example.saw.map { "component/web: the check of https://shop.example/healthz failed for 0.0 seconds: it \($0)" })
    }

    @Test func theAddressIsShownWithoutWhatMayBeSecret() async {
        var check = Check.make()
        check.url = "https://user:pass@shop.example/healthz?token=hunter2#x"
        let message = await failure(check, HTTPResponse(status: 500))
        #expect(message?.contains("the check of https://shop.example/healthz failed") == true)
    }

    @Test func aFailedCheckFailsThePinAndLeavesWhatIsOwed() async {
        let pass = Pass(system: .make(.make(verify: [.make()]), verify: [.make()]), transport: FakeTransport.status(500))
        let result = await pass.run(pass.world())
        #expect(result.verdict == .failed)
        #expect(pass.time.now.offset == .seconds(60))
        #expect(result.obligations == [.check(web), .systemChecks])
        #expect(result.state.releases[web]?.last?.quality == .servedUnverified)
        #expect(result.outcome(of: "verify/system") == .skipped("advance/component/web did not succeed"))
    }

    @Test func owedChecksArePaidByTheNextPass() async {
        var pass = Pass(system: .make(.make(verify: [.make()]), verify: [.make()]), transport: FakeTransport.status(500))
        let world = pass.world()
        _ = await pass.run(world)
        pass.transport = FakeTransport()
        let result = await pass.run(world)
        #expect(result.verdict == .converged)
        #expect(result.obligations.isEmpty && result.state.transition == nil)
        #expect(result.state.releases[web]?.last?.quality == .good)
        #expect(world["web"].writes.count == 1)
    }

    @Test func aCheckMayComeTrueInItsTime() async {
        let transport = FakeTransport { .success(HTTPResponse(status: $0 < 6 ? 502 : 200)) }
        let pass = Pass(system: .make(.make(verify: [.make()])), transport: transport)
        #expect(await pass.run(pass.world()).verdict == .converged)
        #expect(transport.requests == 6)
        #expect(pass.time.now.offset == .seconds(10))
    }

    @Test func successesMustComeInARow() async {
        let transport = FakeTransport { .success(HTTPResponse(status: $0 == 3 ? 502 : 200)) }
        let pass = Pass(system: .make(.make(verify: [.make(consecutive: 3)])), transport: transport)
        #expect(await pass.run(pass.world()).verdict == .converged)
        #expect(transport.requests == 6)
    }

    @Test func aCheckThatDoesNotGetEnoughSuccessesSaysHowManyItHad() async {
        let transport = FakeTransport { .success(HTTPResponse(status: $0 < 31 ? 502 : 200)) }
        let pass = Pass(system: .make(.make(verify: [.make(consecutive: 3)])), transport: transport)
        #expect(
            await pass.run(pass.world()).outcome(of: step)?.problem?.message
                == "component/web: the check of https://shop.example/healthz failed for 60.0 seconds: it passed 1 times in a row of the 3 "
                + "it needs; before that it answered 502, expected 200")
    }

    @Test func aServerThatDoesNotAnswerIsNamed() async {
        let transport = FakeTransport { _ in
            .failure(TransportError(.connect, "shop.example: connection refused", mayHaveTakenEffect: false))
        }
        let pass = Pass(system: .make(.make(verify: [.make()])), transport: transport)
        #expect(
            await pass.run(pass.world()).outcome(of: step)?.problem?.message
                == "component/web: the check of https://shop.example/healthz failed for 60.0 seconds: it gave no answer: "
                + "shop.example: connection refused")
    }
}
