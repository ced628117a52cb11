import SpecFields
import Testing

@Suite struct NearestNameTests {
    @Test(arguments: [
        ("relase", "release", "a letter left out"), ("reelase", "release", "two swapped"), ("Release", "release", "a capital"),
        ("releases", "release", "a plural"), ("take_ownership", "takeOwnership", "another convention"), ("htpp", "http", "a wrong letter"),
        ("afetr", "after", "two swapped"),
    ])
    func typingMistakesAreFound(text: String, name: String, why: String) {
        #expect(NearestName.of(text, among: ["after", "release", "http", "takeOwnership", "verify"]) == name, "\(why)")
    }

    @Test(arguments: [
        ("image", "another word"), ("x", "too short"), ("", "nothing"), ("re", "too far"),
        (String(repeating: "release", count: 20), "too long"),
    ])
    func otherWordsAreNot(text: String, why: String) {
        #expect(NearestName.of(text, among: ["after", "release", "http", "takeOwnership", "verify"]) == nil, "\(why)")
    }

    @Test func theFirstOfSeveralNearNamesIsTaken() {
        #expect(NearestName.of("bat", among: ["cat", "hat"]) == "cat")
    }
}
