import JSONValues
import Testing

struct ParsingTests {
    typealias Value = (text: String, value: JSON, why: String)
    typealias Mistake = (text: String, offset: Int, message: String)

    @Test(
        arguments: [
            ("null", .null, "a word"), (" true\n", .bool(true), "space around"), ("false", .bool(false), "a word"),
            ("0", .number("0"), "zero"), ("-0", .number("-0"), "its sign stays"), ("1.10", .number("1.10"), "its digits stay"),
            ("12345678901234567890123", .number("12345678901234567890123"), "more than 64 bits"), ("1E+2", .number("1E+2"), "as written"),
            (#""""#, .string(""), "empty"), (#""a\"\\\/\b\f\n\r\tz""#, .string("a\"\\/\u{8}\u{C}\n\r\tz"), "every short escape"),
            (#""\u00e9\u00E9""#, .string("éé"), "both cases of digits"), (#""é🧗""#, .string("é🧗"), "plain UTF-8"),
            (#""\ud83e\uddd7""#, .string("🧗"), "a surrogate pair"), (#""\ud83e""#, .string("\u{FFFD}"), "half a pair at the end"),
            (#""\ud83ex""#, .string("\u{FFFD}x"), "half a pair, then text"),
            (#""\uddd7\ud83e""#, .string("\u{FFFD}\u{FFFD}"), "a pair turned round"),
            (#""\ud83e\u0041""#, .string("\u{FFFD}A"), "half a pair, then an escape"),
            (#""\ud83e\ud83e\uddd7""#, .string("\u{FFFD}🧗"), "half a pair, then a whole one"), (#""\u0000""#, .string("\0"), "a zero"),
            ("[]", .array([]), "empty"), ("[ 1 , [ ] ]", .array([.number("1"), .array([])]), "space inside"),
            ("{}", .object(JSONObject()), "empty"), (#"{"b":1,"a":{}}"#, ["b": 1, "a": [:]], "nested"),
            (#"{"a":1,"b":2,"a":3}"#, ["b": 2, "a": 3], "the last of one name counts"), (#"{"\u0061":1}"#, ["a": 1], "an escaped name"),
        ] as [Value])
    func value(_ example: Value) throws {
        #expect(try JSON(parsing: example.text) == example.value, Comment(rawValue: example.why))
    }

    @Test(
        arguments: [
            ("", 0, "the text ends too early"), ("  ", 2, "the text ends too early"), ("nul", 0, "the text ends too early"),
            ("nulL", 0, "expected null"), ("truth", 0, "expected true"), ("x", 0, "expected a value"), ("1 2", 2, "expected the end"),
            ("01", 1, "a number does not begin with 0"), ("-", 1, "expected a digit"), ("1.", 2, "expected a digit"),
            ("1e", 2, "expected a digit"),
            ("1e+", 3, "expected a digit"), (".5", 0, "expected a value"), ("+1", 0, "expected a value"), ("NaN", 0, "expected a value"),
            ("[1", 2, "expected , or ]"), ("[1,]", 3, "expected a value"), ("[,1]", 1, "expected a value"),
            ("{1:2}", 1, "expected a member name"),
            (#"{"a" 1}"#, 5, "expected :"), (#"{"a":1"#, 6, "expected , or }"), (#"{"a":1,}"#, 7, "expected a member name"),
            (#""a"#, 2, "a string without an end"), (#""\x""#, 2, "an unknown escape"), (#""\u12""#, 3, "expected four hexadecimal digits"),
            (#""\u+123""#, 3, "expected four hexadecimal digits"), (#""\ud83e\u00""#, 9, "expected four hexadecimal digits"),
            (#""\"#, 2, "a string without an end"), ("'a'", 0, "expected a value"), ("[1] // no", 4, "expected the end"),
        ] as [Mistake])
    func mistake(_ example: Mistake) {
        #expect(throws: JSONError.self) { try JSON(parsing: example.text) }
        do throws(JSONError) { _ = try JSON(parsing: example.text) } catch {
            #expect(error.offset == example.offset)
            #expect(error.message == example.message)
            #expect(error.description == "not JSON at byte \(example.offset): \(example.message)")
        }
    }

    @Test func aControlCharacterInAStringIsShownWhereItStands() {
        let error = #expect(throws: JSONError.self) { try JSON(parsing: "\"a\nb\"") }
        #expect(error?.message == "a control character in a string")
        #expect(error?.offset == 2)
    }

    @Test func depthIsBounded() throws {
        func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        _ = try JSON(parsing: nested(3), depth: 3)
        #expect(throws: JSONError.self) { try JSON(parsing: nested(4), depth: 3) }
        #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: "[", count: 1_000_000)) }
        #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: #"{"a":"#, count: 1_000_000)) }
        _ = try JSON(parsing: "[\(nested(2)),\(nested(2)),{\"a\":[]}]", depth: 3)
    }

    @Test func invalidUTF8IsReplacedAndNeverTraps() throws {
        #expect(try JSON(parsing: [0x22, 0xFF, 0x22]) == .string("\u{FFFD}"))
        #expect(try JSON(parsing: [0x22, 0xE2, 0x82, 0x5C, 0x6E, 0x22]) == .string("\u{FFFD}\n"))
    }

    @Test func randomBytesNeverCrash() {
        var random = SplitMix(state: 0x5EED)
        let alphabet = Array(#"{}[]",:\u0123456789dDeE+-.truefalsn "#.utf8)
        for round in 0..<2000 {
            let count = Int.random(in: 0...200, using: &random)
            let bytes = (0..<count).map { _ in
                round % 2 == 0 ? UInt8.random(in: 0...255, using: &random) : alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            }
            guard let value = try? JSON(parsing: bytes) else { continue }
            #expect((try? JSON(parsing: value.bytes)) == value)
        }
    }

    @Test func mutatedDocumentsNeverCrashAndRoundTripWhenTheyParse() {
        var random = SplitMix(state: 7)
        let document = Array(#"{"a":[1,-2.5e3,true,null,"x\ud83e\uddd7\n"],"b":{"c":"é","d":[]}}"#.utf8)
        for _ in 0..<2000 {
            var bytes = document
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = bytes.indices.randomElement(using: &random) ?? 0
                bytes[index] = UInt8.random(in: 0...255, using: &random)
            }
            guard let value = try? JSON(parsing: bytes) else { continue }
            #expect((try? JSON(parsing: value.pretty)) == value)
        }
    }
}

/// The same bytes in every run.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
