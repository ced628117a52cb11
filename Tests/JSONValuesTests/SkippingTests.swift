import JSONValues
import Testing

struct SkippingTests {
    @Test(
        arguments: [
            (#"{"a":1,"skip":{"b":[1,"]}",{}],"c":null},"d":2}"#, ["a": 1, "d": 2], "an object with what looks like its end"),
            (#"[{"skip":[]},{"skip" : "\"\\" }]"#, [[:], [:]], "in arrays, with escapes"),
            (#"{"skips":1,"ski":2,"skip":-1.5e3}"#, ["skips": 1, "ski": 2], "names that only resemble it stay"),
            (#"{"other":{"skip":true,"x":{"skip":"é"}}}"#, ["other": ["x": [:]]], "at any depth, both names"),
            (#"{"skip":1,"skip":2}"#, [:], "twice"),
        ] as [ParsingTests.Value])
    func membersThatAreNotWantedAreLeftOut(_ example: ParsingTests.Value) throws {
        #expect(try JSON(parsing: example.text, without: ["none", "skip"]) == example.value, Comment(rawValue: example.why))
    }

    @Test(arguments: [
        #"{"skip":}"#, #"{"skip":{"a"}}"#, #"{"skip":[1 2]}"#, #"{"skip":[1,]}"#, #"{"skip":{,}}"#, #"{"skip":"a}"#, #"{"skip":tru}"#,
        #"{"skip":01}"#,
        #"{"skip":[}"#, "{\"skip\":\"\n\"}", #"{"skip"#, #"{"skip":"\"#,
    ])
    func whatIsLeftOutMustBeJSONAllTheSame(_ text: String) {
        #expect(throws: JSONError.self) { try JSON(parsing: text, without: ["skip"]) }
        #expect(throws: JSONError.self) { try JSON(parsing: text) }
    }

    @Test func whatIsLeftOutIsNestedNoDeeperThanAnythingElse() {
        let text = #"{"skip":"# + String(repeating: "[", count: 300) + String(repeating: "]", count: 300) + "}"
        #expect(throws: JSONError.self) { try JSON(parsing: text, without: ["skip"]) }
    }
}
