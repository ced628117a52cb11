import Model
import Reporting
import Testing

/// Which release was there before, by what is recorded.
@Suite struct EarlierReleaseTests {
    private static func recorded(_ releases: [(String, ReleaseRecord.Quality)], pinned: String? = nil) -> RecordedState {
        RecordedState(
            isKnown: true, releases: [.component("web"): releases.map { .make($0.0, $0.1) }],
            resolutions: pinned.map { [.component("web"): .make($0)] } ?? [:])
    }

    @Test(
        arguments: [
            ("the pin was reached: the one before it", [("v1", .good), ("v2", .good)], "v2", "v1", "v1"),
            ("the pin never arrived: the last one that did", [("v1", .good), ("v2", .good)], "v3", "v2", "v2"),
            ("the last one before it was never checked", [("v1", .good), ("v2", .servedUnverified), ("v3", .good)], "v3", "v2", "v1"),
            ("it was gone back to before: what stood before it then", [("v1", .good), ("v2", .good), ("v1", .good)], "v1", "v2", "v2"),
            (
                "an older pin is written already, and not reached: before that one", [("v1", .good), ("v2", .good), ("v3", .good)], "v2",
                "v1", "v1"
            ),
            ("nothing stood before the first", [("v1", .good)], "v1", nil, nil), ("nothing is recorded", [], "v1", nil, nil),
            ("nothing was good", [("v1", .servedUnverified), ("v2", .good)], "v2", "v1", nil),
        ] as [(String, [(String, ReleaseRecord.Quality)], String, String?, String?)])
    func previousAndLastKnownGood(
        _ why: String, _ releases: [(String, ReleaseRecord.Quality)], _ pin: String, _ previous: String?, _ good: String?
    ) {
        let component = Component.make("web", pin)
        let state = Self.recorded(releases, pinned: pin)
        #expect(EarlierRelease.previous.record(of: component, in: state).label == previous, "\(why)")
        #expect(EarlierRelease.lastKnownGood.record(of: component, in: state).label == good, "\(why)")
    }

    @Test func whatIsMissingIsSaidWithTheNextAction() {
        let component = Component.make("web", "v2")
        guard case .failure(let none) = EarlierRelease.previous.record(of: component, in: Self.recorded([])) else {
            Issue.record("there is none")
            return
        }
        #expect(none.message == "web: no release before v2 is recorded here")
        #expect(
            none.next
                == "choose one of reconcile history web with --to PIN; is this the state that the system is reconciled with (--state)?")
        let unverified = Self.recorded([("v1", .servedUnverified)])
        guard case .failure(let bad) = EarlierRelease.lastKnownGood.record(of: component, in: unverified) else {
            Issue.record("there is none")
            return
        }
        #expect(bad.message == "web: none of the releases before v2 is recorded as good")
        #expect(bad.next == "the last one that was served is v1: --to previous takes it")
    }

    /// Three components; only the latest moment counts, whatever the others had before.
    @Test func theLastChangeIsWhatStoodAtOneAndTheSameMoment() {
        func record(_ name: String, _ minute: Int64) -> ReleaseRecord {
            var record = ReleaseRecord.make(name)
            record.reached = Timestamp(millisecondsSinceEpoch: minute * 60_000)
            return record
        }
        let system = System(
            id: SystemID(name: "shop"), components: [.make("web", "w3"), .make("api", "a2"), .make("worker", "k2"), .make("docs", "d1")])
        let state = RecordedState(
            isKnown: true,
            releases: [
                .component("web"): [record("w1", 1), record("w2", 5), record("w3", 9)],
                .component("api"): [record("a1", 5), record("a2", 9)],
                .component("worker"): [record("k1", 2), record("k2", 9)],
                .component("docs"): [record("d1", 9)],
            ])
        let earlier = EarlierRelease.beforeTheLastChange(of: system, in: state)
        #expect(earlier.map(\.component.name) == ["web", "api"])
        #expect(earlier.map(\.record.resolution.label) == ["w2", "a1"])
        #expect(EarlierRelease.beforeTheLastChange(of: system, in: RecordedState()).isEmpty)
    }
}

extension Result where Success == ReleaseRecord {
    fileprivate var label: String? {
        guard case .success(let record) = self else { return nil }
        return record.resolution.label
    }
}
