import Model
import Planning
import Testing

@Suite struct PinResolutionTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var why: String
        var pin: Pin
        var finds: PinResolution
        var testDescription: String { why }
    }

    static let commit = "3f2c1ab0aa00aa00aa00aa00aa00aa00aa00aa00"
    static let sibling = "3f2c1ab1bb11bb11bb11bb11bb11bb11bb11bb11"

    static func identity(_ kind: ArtifactIdentity.Kind, _ value: String) -> ArtifactIdentity { ArtifactIdentity(kind, value) }

    /// Three deployments: two builds of one commit, and one of another commit whose image was tagged like a deployment of the first.
    static let releases: [Release] = [
        .make(
            "third",
            names: [
                ReleaseName(.deployment, "dpl_3", denotes: identity(.deployment, "dpl_3")),
                ReleaseName(.revision, "12", denotes: identity(.template, "t3")),
                ReleaseName(.image, "1.10", denotes: identity(.image, "three")),
                ReleaseName(.image, "dpl_1", denotes: identity(.image, "three")),
                ReleaseName(.commit, sibling, denotes: identity(.commit, sibling)),
            ]),
        .make(
            "second",
            names: [
                ReleaseName(.deployment, "dpl_2", denotes: identity(.deployment, "dpl_2")),
                ReleaseName(.image, "stable", denotes: identity(.image, "two")),
                ReleaseName(.image, "3f2c1ab", denotes: identity(.image, "two")),
                ReleaseName(.commit, commit, denotes: identity(.commit, commit)),
            ]),
        .make(
            "first",
            names: [
                ReleaseName(.deployment, "dpl_1", denotes: identity(.deployment, "dpl_1")),
                ReleaseName(.image, "stable", denotes: identity(.image, "one")),
                ReleaseName(.commit, commit, denotes: identity(.commit, commit)),
            ]),
    ]

    static let cases: [Case] = [
        Case(why: "a deployment by its id", pin: .name("dpl_2"), finds: .resolved(identity(.deployment, "dpl_2"), label: "second")),
        Case(
            why: "the first kind with a match decides: the id wins over another's tag", pin: .name("dpl_1"),
            finds: .resolved(identity(.deployment, "dpl_1"), label: "first")),
        Case(
            why: "the structured form says which kind: the tag, not the id", pin: .image("dpl_1"),
            finds: .resolved(identity(.image, "three"), label: "third")),
        Case(why: "a version stays what was written", pin: .name("1.10"), finds: .resolved(identity(.image, "three"), label: "third")),
        Case(why: "1.1 is another version than 1.10", pin: .name("1.1"), finds: .missing),
        Case(why: "an image name is not matched by its beginning", pin: .image("1.1"), finds: .missing),
        Case(why: "a revision by its number", pin: .revision(12), finds: .resolved(identity(.template, "t3"), label: "third")),
        Case(why: "a revision is no deployment", pin: .deployment("12"), finds: .missing),
        Case(
            why: "two builds of one commit are one artifact", pin: .commit("3f2c1ab0"),
            finds: .resolved(identity(.commit, commit), label: "second")),
        Case(
            why: "commits are hexadecimal numbers: upper case means the same", pin: .commit("3F2C1AB0"),
            finds: .resolved(identity(.commit, commit), label: "second")),
        Case(why: "a scalar reaches commits last", pin: .name("3f2c1ab1"), finds: .resolved(identity(.commit, sibling), label: "third")),
        Case(
            why: "a tag that looks like a commit is a tag", pin: .name("3f2c1ab"),
            finds: .resolved(identity(.image, "two"), label: "second")),
        Case(why: "seven digits that two commits begin with", pin: .commit("3f2c1ab"), finds: .ambiguous(releases)),
        Case(why: "six digits are too few", pin: .commit("3f2c1a"), finds: .missing),
        Case(why: "not a commit at all", pin: .commit("stable!!"), finds: .missing),
        Case(why: "one tag on two artifacts", pin: .name("stable"), finds: .ambiguous([releases[1], releases[2]])),
        Case(why: "nothing is called so", pin: .name("v9"), finds: .missing),
        Case(why: "an empty pin names nothing", pin: .name(""), finds: .missing),
    ]

    @Test(arguments: cases) func aPinMeansOneArtifact(_ one: Case) {
        #expect(resolve(one.pin, among: Self.releases.map { Candidate($0, routes: []) }) == one.finds)
    }

    @Test func nothingIsFoundAmongNothing() {
        #expect(resolve(.name("v1"), among: []) == .missing)
    }
}
