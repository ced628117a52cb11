import Execution
import Model
import Reporting
import Testing
import TextLayout

struct ProgressTextTests {
    private static let up = "\u{1B}[1A\u{1B}[J"
    private static let unwrapped = "\u{1B}[?7l"
    private static let wrapped = "\u{1B}[?7h"

    private let web = Step.make("web", "web: undo to v1")
    private let api = Step.make("api", "api: undo to v1")
    private let open = Step(id: "guard/open", phase: .guard, action: .open, summary: "open the transition")

    /// What each event writes.
    private func written(_ events: [ExecutionEvent], isLive: Bool, style: TextStyle = .plain, prefix: String = "") -> [String] {
        var progress = ProgressText(style: style, isLive: isLive, prefix: prefix)
        return events.map { progress.text(for: $0) }
    }

    @Test func plainLines() {
        let events: [ExecutionEvent] = [
            .phaseEntered(.guard), .stepStarted(open), .stepEnded(open, .succeeded("transition t1 is open")), .phaseEntered(.retreat),
            .stepStarted(web), .stepProgress(web, "1 of 2"), .stepProgress(web, "1 of 2"), .stepProgress(web, "2 of 2"),
            .stepEnded(web, .succeeded("check passed")),
        ]
        #expect(
            written(events, isLive: false) == [
                "", "", "", "", "… [retreat] web: undo to v1\n", "… [retreat] web: 1 of 2\n", "", "… [retreat] web: 2 of 2\n",
                "✔ [retreat] web: undo to v1: check passed\n",
            ])
    }

    @Test(arguments: [
        (Outcome.succeeded(""), "✔ [retreat] web: undo to v1\n"),
        (.succeeded("check passed"), "✔ [retreat] web: undo to v1: check passed\n"),
        (.failed(.crash), "✘ [retreat] web: undo to v1: fake/web: the container crashes; read its log\n"),
        (.skipped("api did not succeed"), "– [retreat] web: undo to v1: not begun: api did not succeed\n"),
        (.superseded, "– [retreat] web: undo to v1: left to a newer revision\n"),
        (.undecided(.crash), "? [retreat] web: undo to v1: fake/web: the container crashes; read its log\n"),
    ])
    func howAStepEnded(outcome: Outcome, line: String) {
        #expect(written([.stepEnded(web, outcome)], isLive: false) == [line])
        #expect(written([.stepEnded(web, outcome)], isLive: true) == [line])
    }

    @Test(arguments: [
        (Outcome.succeeded("opened"), ""), (.skipped("web did not succeed"), ""), (.superseded, ""),
        (.failed(Problem("DiskFull", "the disk is full")), "✘ [guard] open the transition: the disk is full\n"),
    ])
    func bookkeepingIsToldOnlyWhenItFails(outcome: Outcome, line: String) {
        #expect(written([.stepStarted(open), .stepEnded(open, outcome)], isLive: false) == ["", line])
        #expect(written([.stepStarted(open), .stepEnded(open, outcome)], isLive: true) == ["", line])
    }

    /// The words of an interruption stand below what is drawn, and a redraw would erase them.
    @Test func afterAnInterruptionNothingIsTakenBack() {
        var progress = ProgressText(style: .plain, isLive: true)
        _ = progress.text(for: .stepStarted(web))
        progress.endLiveDisplay()
        #expect(progress.text(for: .stepProgress(web, "1 of 2")) == "… [retreat] web: 1 of 2\n")
        #expect(progress.text(for: .stepEnded(web, .superseded)) == "– [retreat] web: undo to v1: left to a newer revision\n")
    }

    @Test func aLiveDisplayTakesBackWhatItDrew() {
        let events: [ExecutionEvent] = [
            .phaseEntered(.retreat), .stepStarted(web), .stepStarted(api), .stepProgress(web, "1 of 2"), .stepProgress(web, "1 of 2"),
            .stepEnded(api, .succeeded("")), .stepEnded(web, .failed(.crash)),
        ]
        #expect(
            written(events, isLive: true) == [
                "",
                "\(Self.unwrapped)▸ web: undo to v1\n\(Self.wrapped)",
                "\(Self.up)\(Self.unwrapped)▸ web: undo to v1\n▸ api: undo to v1\n\(Self.wrapped)",
                "\u{1B}[2A\u{1B}[J\(Self.unwrapped)▸ web: undo to v1: 1 of 2\n▸ api: undo to v1\n\(Self.wrapped)",
                "",
                "\u{1B}[2A\u{1B}[J✔ [retreat] api: undo to v1\n\(Self.unwrapped)▸ web: undo to v1: 1 of 2\n\(Self.wrapped)",
                "\(Self.up)✘ [retreat] web: undo to v1: fake/web: the container crashes; read its log\n",
            ])
    }

    @Test func aStepThatIsNeverBegunIsToldAboveWhatRuns() {
        let events: [ExecutionEvent] = [.stepStarted(web), .stepEnded(api, .skipped("web failed"))]
        #expect(
            written(events, isLive: true).last
                == "\(Self.up)– [retreat] api: undo to v1: not begun: web failed\n\(Self.unwrapped)▸ web: undo to v1\n\(Self.wrapped)")
    }

    @Test func linesThatAreRedrawnAreCut() {
        let long = Step.make("web", String(repeating: "x", count: 300))
        let drawn = written([.stepStarted(long)], isLive: true)[0]
        #expect(drawn == "\(Self.unwrapped)▸ \(String(repeating: "x", count: 109))…\n\(Self.wrapped)")
        #expect(written([.stepEnded(long, .succeeded(""))], isLive: true)[0].count == 300 + "✔ [retreat] \n".count, "what stays is whole")
    }

    @Test func colourIsAroundTheWholeWord() {
        let coloured = TextStyle(isColoured: true)
        #expect(
            written([.stepStarted(web), .stepEnded(web, .succeeded("served"))], isLive: false, style: coloured) == [
                "\u{1B}[2m…\u{1B}[0m \u{1B}[2m[retreat]\u{1B}[0m web: undo to v1\n",
                "\u{1B}[32m✔\u{1B}[0m \u{1B}[2m[retreat]\u{1B}[0m web: undo to v1\u{1B}[2m: served\u{1B}[0m\n",
            ])
    }

    @Test func everyLineOfSeveralSystemsSaysWhose() {
        #expect(
            written([.stepStarted(web), .stepEnded(web, .succeeded(""))], isLive: false, prefix: "default/shop: ")
                == ["default/shop: … [retreat] web: undo to v1\n", "default/shop: ✔ [retreat] web: undo to v1\n"])
    }

    @Test(arguments: [true, false])
    func textOfProvidersCannotMoveTheCursor(isLive: Bool) {
        let step = Step.make("web", hostile)
        let events: [ExecutionEvent] = [
            .stepStarted(step), .stepProgress(step, hostile), .stepEnded(step, .failed(Problem("X", hostile, next: hostile))),
            .stepEnded(step, .skipped(hostile)), .stepEnded(step, .succeeded(hostile)), .stepEnded(step, .undecided(Problem("X", hostile))),
        ]
        for text in written(events, isLive: isLive) {
            var rest = text
            for own in [Self.up, Self.unwrapped, Self.wrapped] { rest = rest.split(separator: own).joined() }
            #expect(rest.unicodeScalars.allSatisfy { $0 == "\n" || ![.control, .format].contains($0.properties.generalCategory) })
            #expect(rest.filter(\.isNewline).count == 1 && rest.hasSuffix("\n"))
        }
    }
}

extension Step {
    fileprivate static func make(_ name: String, _ summary: String) -> Step {
        Step(id: "retreat/component/\(name)", phase: .retreat, resource: .component(name), action: .check, summary: summary)
    }
}
