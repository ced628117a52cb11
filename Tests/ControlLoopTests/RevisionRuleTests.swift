import Model
import Sources
import Testing

@testable import ControlLoop

struct RevisionRuleTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var relation: RevisionRelation
        var revision = Revision.make("b")
        var accepted = Revision.make("a")
        var refusal: String?
        var testDescription: String { why }
    }

    static let older = "revision bbbbbbbbbbbb is older than aaaaaaaaaaaa, which was reconciled already"
    static let shallow =
        "revision bbbbbbbbbbbb was committed before aaaaaaaaaaaa, which was reconciled already, and this clone is too shallow to tell more"

    static let cases = [
        Case(why: "the same revision again is a resync", relation: .same, revision: .make("a")),
        Case(why: "the accepted one is an ancestor: forward", relation: .ancestor),
        Case(why: "the accepted one is a descendant: an old job run again", relation: .descendant, refusal: older),
        Case(
            why: "an uncommitted change does not make an old commit new", relation: .descendant, revision: .make("b", isDirty: true),
            refusal: "revision bbbbbbbbbbbb-dirty is older than aaaaaaaaaaaa, which was reconciled already"),
        Case(why: "two branches have no order", relation: .diverged, revision: .make("b", 1), accepted: .make("a", 2)),
        Case(
            why: "a shallow clone lacks the accepted commit, and this one is older by Git's clock", relation: .unknown,
            revision: .make("b", 1), accepted: .make("a", 2), refusal: shallow),
        Case(
            why: "a shallow clone, and this one is newer by Git's clock", relation: .unknown, revision: .make("b", 2),
            accepted: .make("a", 1)),
        Case(why: "two commits of one second have no order", relation: .unknown, revision: .make("b", 1), accepted: .make("a", 1)),
        Case(why: "nobody recorded when the accepted one was made", relation: .unknown, revision: .make("b", 1)),
        Case(why: "nobody knows when this one was made", relation: .unknown, accepted: .make("a", 2)),
        Case(
            why: "files outside of Git after a commit: nobody can tell whether they are old", relation: .unknown,
            revision: .make("b", 1, .digest), accepted: .make("a", 2),
            refusal:
                "revision sha256:bbbbbbbbbbbb stands in no Git history, so it cannot be told whether it is older than commit aaaaaaaaaaaa, "
                + "which was reconciled before"),
        Case(
            why: "a digest whatever the source says", relation: .descendant, revision: .make("b", .none, .digest),
            accepted: .make("a", .none, .digest)),
        Case(why: "from a directory to Git", relation: .unknown, revision: .make("b", 1), accepted: .make("a", 2, .digest)),
    ]

    @Test(
        arguments: [
            (.unknown, .make("b", 1), .make("a", 1), true, "one second"),
            (.unknown, .make("b"), .make("a", 1), true, "no time of this one"),
            (.unknown, .make("b", 1), .make("a"), true, "no time of the other"), (.unknown, .make("b", 2), .make("a", 1), false, "newer"),
            (.unknown, .make("b", 1), .make("a", 2), false, "older"), (.diverged, .make("b", 1), .make("a", 1), false, "two branches"),
            (.unknown, .make("b", 1, .digest), .make("a", 1), false, "no commit"),
        ] as [(RevisionRelation, Revision, Revision, Bool, String)])
    func theOrderIsOpenWhereNeitherHistoryNorTimeTellsIt(
        relation: RevisionRelation, revision: Revision, accepted: Revision, isOpen: Bool, why: String
    ) {
        #expect(isOrderOpen(of: revision, after: accepted, relation: relation) == isOpen, "\(why)")
    }

    @Test(arguments: cases)
    func theAcceptedRevisionOnlyMovesForward(case example: Case) {
        let problem = refusal(of: example.revision, after: example.accepted, relation: example.relation)
        #expect(problem?.message == example.refusal)
        #expect(problem == nil || problem?.next?.hasSuffix("add --force") == true)
    }
}

extension Revision {
    /// - Parameter committed: in seconds.
    fileprivate static func make(
        _ digit: Character, _ committed: Int64? = nil, _ kind: Kind = .commit, isDirty: Bool = false
    ) -> Revision {
        Revision(
            kind, String(repeating: digit, count: 40), isDirty: isDirty,
            committed: committed.map { Timestamp(millisecondsSinceEpoch: $0 * 1000) })
    }
}
