import JSONValues
import Testing

struct WritingTests {
    @Test(arguments: [
        (#"{"b":1.10,"a":[true,false,null],"c":{}}"#, "order and digits stay"), ("[]", "empty"), (#""\"\\\n\r\t\u0001\u001f""#, "escapes"),
        (#""é🧗/""#, "no more escapes than needed"), ("-0", "a sign"), ("12345678901234567890123", "more digits than a Double has"),
    ])
    func aTextComesBackAsItWas(text: String, why: String) throws {
        let value = try JSON(parsing: text)
        #expect(value.description == text, Comment(rawValue: why))
        #expect(value.bytes == Array(text.utf8))
        #expect(try JSON(parsing: value.pretty) == value)
    }

    @Test func prettyIsAsJqPrintsIt() throws {
        let value = try JSON(parsing: #"{"a":[1,{"b":[]}],"c":{}}"#)
        #expect(
            value.pretty == """
                {
                  "a": [
                    1,
                    {
                      "b": []
                    }
                  ],
                  "c": {}
                }
                """)
    }
}

struct LookingTests {
    let value: JSON = ["text": "x", "count": 3, "on": true, "none": nil, "list": [1, "two"], "half": 0.5]

    @Test func aValueIsFoundByNameAndPlace() {
        #expect(value["text"]?.string == "x")
        #expect(value["count"]?.integer == 3)
        #expect(value["on"]?.bool == true)
        #expect(value["list"]?[1]?.string == "two")
        #expect(value["half"]?.double == 0.5)
    }

    @Test func whatIsNotThereIsNil() {
        #expect(value["none"] == nil, "null counts as not there")
        #expect(value["other"] == nil)
        #expect(value["list"]?[2] == nil)
        #expect(value["list"]?[-1] == nil)
        #expect(value["text"]?["inside"] == nil)
        #expect(value["text"]?.integer == nil)
        #expect(value["text"]?.elements == [])
    }

    @Test(
        arguments: [
            ("3", 3), ("-3", -3), ("3.0", 3), ("1e3", 1000), ("3.5", nil), ("1e300", nil), ("9223372036854775807", .max),
            ("9223372036854775808", nil),
        ] as [(String, Int?)])
    func integer(digits: String, expected: Int?) {
        #expect(JSON.number(digits).integer == expected)
    }

    @Test func membersAreEqualInWhateverOrder() {
        let one: JSON = ["a": 1, "b": 2]
        let other: JSON = ["b": 2, "a": 1]
        #expect(one == other)
        #expect(one.hashValue == other.hashValue)
        #expect(one != ["a": 1])
        #expect(one != ["a": 1, "c": 2])
    }

    @Test func settingReplacesInPlaceAndNilRemoves() {
        var changed = value
        changed["text"] = "y"
        changed["new"] = 1
        changed["on"] = JSON?.none
        #expect(changed.object?.keys == ["text", "count", "none", "list", "half", "new"])
        #expect(changed["text"]?.string == "y")
    }

    @Test func whatSaysTheSameIsWrittenTheSame() throws {
        let one = try JSON(parsing: #"{"b":[1.0,null,{"z":null,"y":"a\"\u00e9\n"}],"a":{},"c":null}"#)
        let other = try JSON(parsing: #"{ "a":{"n":null}, "b":[1.0,null,{"y":"a\"é\n"}] }"#)
        #expect(String(decoding: one.canonicalBytes, as: UTF8.self) == #"{"a":{},"b":[1.0,null,{"y":"a\"é\n"}]}"#)
        #expect(one.canonicalBytes == other.canonicalBytes)
    }
}
