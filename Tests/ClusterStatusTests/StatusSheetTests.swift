import ClusterSource
import JSONValues
import Model
import Testing

@testable import ClusterStatus

@Suite struct StatusSheetTests {
    static let start = Timestamp(millisecondsSinceEpoch: 1_795_392_000_000)

    static func conditions(_ sheet: StatusSheet) -> [String] { sheet.conditions.map { "\($0.type)=\($0.status.rawValue) \($0.reason)" } }

    @Test func aNewGenerationIsLookedAtAndAKnownOneIsNoNews() {
        var sheet = StatusSheet()
        sheet.load(Revision(.generation, "u/1"), generation: 1)
        #expect(sheet.phase == "Pending" && sheet.observedGeneration == 1 && sheet.revision == "1")
        #expect(Self.conditions(sheet) == ["Ready=Unknown NewRevision", "Reconciling=True NewRevision", "Stalled=False Moving"])
        sheet.phase = "InSync"
        sheet.set("Ready", .yes, "InSync")
        let before = sheet
        sheet.load(Revision(.generation, "u/1"), generation: 1)
        #expect(sheet == before, "after a restart")
    }

    @Test func mistakesAreInTheConditionsUntilTheSpecIsMended() {
        var sheet = StatusSheet()
        sheet.reject(["spec.components.web.release: is required", "spec.x: unknown"], generation: 3)
        #expect(sheet.phase == "Invalid" && sheet.observedGeneration == 3)
        #expect(Self.conditions(sheet) == ["Ready=False SpecInvalid", "Reconciling=False SpecInvalid", "Stalled=True SpecInvalid"])
        #expect(sheet.conditions[2].message == "spec.components.web.release: is required; spec.x: unknown")
        sheet.load(Revision(.generation, "u/3"), generation: 3)
        #expect(sheet.phase == "Pending", "a newer operator may know the field")
    }

    @Test func phasesOnlyGoForwardWhileOnePlanIsUnderWay() {
        var sheet = StatusSheet()
        var seen: [String] = []
        for phase in [Phase.preflight, .guard, .retreat, .preflight, .guard, .retreat, .migrateDown, .finish] {
            sheet.enter(phase)
            if seen.last != sheet.phase { seen.append(sheet.phase) }
        }
        #expect(seen == ["Preflight", "Guard", "Retreat", "MigrateDown", "Finish"], "a pass that looks again is no news")
        sheet.phase = "InSync"
        sheet.enter(.preflight)
        #expect(sheet.phase == "Preflight", "the next plan begins at its start")
    }

    @Test func aConditionKeepsItsTimeAsLongAsItSaysTheSame() {
        var sheet = StatusSheet()
        sheet.load(Revision(.generation, "u/1"), generation: 1)
        let first = sheet.json(after: nil, at: Self.start)
        sheet.set("Ready", .unknown, "Other", "in other words")
        sheet.set("Stalled", .yes, "DecisionNeeded", "waiting")
        let second = sheet.json(after: first, at: Self.start + .seconds(60))
        let times = (second["conditions"]?.elements ?? []).map { $0["lastTransitionTime"]?.string }
        #expect(times == ["2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-23T00:01:00Z"])
        #expect(sheet.json(after: second, at: Self.start + .seconds(120)) == second, "nothing to write")
    }

    @Test func aStatusIsReadAsItWasWritten() {
        var sheet = StatusSheet()
        sheet.load(Revision(.generation, "u/4"), generation: 4)
        sheet.resources = [
            .init(name: "component/web", pin: "v2", live: "v1", state: "OutOfSync", difference: "undo to v2", lastKnownGood: "v1")
        ]
        sheet.pinned = 0
        sheet.total = 1
        let json = sheet.json(after: nil, at: Self.start)
        #expect(StatusSheet(reading: json) == sheet)
        #expect(json["pins"] == "0/1")
        #expect(!json.description.contains("\"\""), "an API server of 1.20 refuses empty texts")
    }
}

@Suite struct EventBookTests {
    static let object = SystemObject([
        "metadata": ["name": "shop", "namespace": "shop", "uid": "u", "resourceVersion": "1", "generation": 1]
    ])

    @Test func theSameEventIsCountedAndAnotherIsNew() throws {
        let object = try #require(Self.object)
        var book = EventBook()
        let converged = Happening("Converged", "converged at generation 2")
        guard case .new(let name)? = book.enter(converged, of: object, at: StatusSheetTests.start) else { throw Missing() }
        #expect(name.hasPrefix("shop."))
        #expect(book.enter(converged, of: object, at: StatusSheetTests.start + .seconds(10)) == .again(name: name, count: 2))
        guard case .new? = book.enter(Happening("Converged", "converged at generation 3"), of: object, at: StatusSheetTests.start) else {
            throw Missing()
        }
        guard case .new? = book.enter(converged, of: object, at: StatusSheetTests.start + .seconds(7200)) else { throw Missing() }
    }

    @Test func noObjectGetsMoreThanAPersonCouldRead() throws {
        let object = try #require(Self.object)
        var book = EventBook()
        let granted = (0..<200).count { book.enter(Happening("Drifted", "\($0)"), of: object, at: StatusSheetTests.start) != nil }
        #expect(granted == Int(EventBook.burst))
        let later = (0..<200).count {
            book.enter(Happening("Drifted", "\($0)"), of: object, at: StatusSheetTests.start + .seconds(300)) != nil
        }
        #expect(later == 5, "one a minute")
    }

    private struct Missing: Error {}
}
