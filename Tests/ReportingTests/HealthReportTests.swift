import JSONValues
import Model
import Reporting
import Testing
import TextLayout

@testable import Execution

struct HealthReportTests {
    private let failure = Problem("CheckFailed", "component/api: it answered 500", next: "look at what it answers")

    private var report: HealthReport {
        HealthReport(
            system: SystemID(name: "shop"),
            entries: [
                .init(component: "web", settlement: .settled, checks: [CheckReport(check: .example, problem: nil)]),
                .init(component: "docs", settlement: .settled, checks: []),
                .init(component: "api", settlement: .progressing("1 of 2"), checks: [CheckReport(check: .example, problem: failure)]),
                .init(component: "worker", settlement: .failed(.crash), checks: []),
                .init(component: nil, settlement: nil, checks: [CheckReport(check: .example, problem: nil)]),
            ])
    }

    @Test func asText() {
        #expect(
            report.text(.plain) == """
                default/shop  ✘ not healthy
                  ✔ web
                      ✔ https://shop.example/healthz: 200
                  ✔ docs: as the provider sees it; it has no checks of its own
                  ✘ api: 1 of 2
                      ✘ component/api: it answered 500; look at what it answers
                  ✘ worker: fake/web: the container crashes; read its log
                  ✔ the system's checks
                      ✔ https://shop.example/healthz: 200

                """)
        #expect(HealthReport(system: SystemID(name: "shop"), entries: []).text(.plain) == "default/shop  ✔ healthy\n")
    }

    @Test func theNameIsNotSaidTwice() {
        let report = HealthReport(
            system: SystemID(name: "shop"), entries: [.init(component: "web", settlement: .failed(.crash), checks: [])])
        #expect(report.text(.plain) == "default/shop  ✘ not healthy\n  ✘ web: the container crashes; read its log\n")
        #expect(report.markdown == "### default/shop: not healthy\n\n- web: not healthy: the container crashes; read its log\n\n")
        #expect(report.json["entries"]?[0]?["message"] == "fake/web: the container crashes; read its log")
    }

    @Test func asMarkdown() {
        #expect(
            report.markdown == """
                ### default/shop: not healthy

                - web: healthy
                - docs: healthy: as the provider sees it; it has no checks of its own
                - api: not healthy: 1 of 2
                  - component/api: it answered 500; look at what it answers
                - worker: not healthy: fake/web: the container crashes; read its log
                - the system's checks: healthy


                """)
    }

    @Test func asJSON() {
        #expect(report.json["healthy"] == false)
        #expect(report.json["entries"]?.elements.map { $0["healthy"] } == [true, true, false, false, true])
        #expect(
            report.json["entries"]?.elements[2] == [
                "component": "api", "healthy": false, "message": "1 of 2",
                "checks": [
                    [
                        "url": "https://shop.example/healthz", "passed": false,
                        "message": "component/api: it answered 500; look at what it answers",
                    ]
                ],
            ])
        #expect(report.json["entries"]?.elements[4]["component"] == nil)
    }

    @Test func addressesAreShownWithoutWhatMayBeSecret() {
        for text in [report.text(.plain), report.markdown, report.json.description] {
            #expect(!text.contains("hunter2") && !text.contains("pass@"))
        }
    }

    @Test func aDatabaseIsAskedForItsDataToo() {
        let check = DataCheck(sql: "SELECT count(*)\n FROM orders", expect: "3")
        let wrong = Problem("DataCheckFailed", "database/main: the check returned \"2\", expected \"3\"", next: "look at the data")
        let report = HealthReport(
            system: SystemID(name: "shop"),
            entries: [
                .init(database: "main", problem: nil, answers: [.init(check, nil), .init(check, wrong)]),
                .init(database: "log", problem: nil, answers: []), .init(database: "old", problem: .unreadable, answers: []),
            ])
        #expect(
            report.text(.plain) == """
                default/shop  ✘ not healthy
                  ✘ database/main
                      ✔ SELECT count(*) FROM orders: 3
                      ✘ database/main: the check returned "2", expected "3"; look at the data
                  ✔ database/log: it answers; the spec asks nothing of its data
                  ✘ database/old: \(Problem.unreadable)

                """)
        #expect(report.markdown.contains("  - database/main: the check returned"))
        #expect(report.json["entries"]?.elements.map { $0["healthy"] } == [false, true, false])
        #expect(report.json["entries"]?[0]?["database"] == "main")
        #expect(report.json["entries"]?[0]?["checks"]?.elements.map { $0["passed"] } == [true, false])
    }

    @Test(arguments: [
        (Settlement.settled, true, "healthy"), (.progressing("1 of 2"), false, "not there yet"), (.failed(.crash), false, "failed"),
        (.unknown(.unreadable), false, "nobody knows, which is not health"),
    ])
    func onlyASettledComponentIsHealthy(settlement: Settlement, isHealthy: Bool, why: Comment) {
        #expect(HealthReport.Entry(component: "web", settlement: settlement, checks: []).isHealthy == isHealthy, why)
    }
}
