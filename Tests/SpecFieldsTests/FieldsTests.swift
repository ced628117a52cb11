import JSONValues
import SpecFields
import Testing
import YAMLReading

@Suite struct FieldsTests {
    private struct Berth: SpecObject, Equatable {
        var name: String
        var depth: Int
        var tide: Duration
        var isCovered: Bool
        var kind: String
        var ropes: [String]
        var mooring: Mooring
        var labels: [String]

        enum Mooring: Equatable {
            case none
            case buoy(String)
            case pier(Int)
        }

        init(_ fields: inout Fields) {
            name = fields.required("name", .string(.name), "The berth's name.")
            depth = fields.optional("depth", .integer(1...30), default: 3, "In metres.")
            tide = fields.optional("tide", default: .seconds(60), "How long the tide lasts.")
            isCovered = fields.optional("isCovered", default: false, "Whether it has a roof.")
            kind = fields.optional("kind", .choice(["short", "long"]), default: "short", "Its length.")
            ropes = fields.optional("ropes", default: [], "The ropes, by name.")
            mooring =
                fields.exactlyOne(
                    of: "a mooring",
                    [
                        Alternative("buoy", "A buoy's name.") { (name: String) in .buoy(name) },
                        Alternative("pier", .integer(1...9), "A pier's number.") { .pier($0) },
                    ], announced: ["anchor"]) ?? .none
            labels = fields.optional("labels", .map(of: .possiblyEmptyString), "Free words.")?.entries.map { "\($0.key)=\($0.value)" } ?? []
            if depth > 20, isCovered { fields.report("is too deep for a roof", at: "depth") }
        }
    }

    private func read(_ text: String) throws -> (Berth?, [String]) {
        let reading = SpecReading(file: "b")
        let berth = Berth.read(try YAMLNode(reading: Array(text.utf8)), reading)
        return (berth, reading.diagnostics.map(\.description))
    }

    @Test func fieldsAreReadAndDefaultsFilledIn() throws {
        let (berth, lines) = try read("{name: n-1, depth: 0x1E, buoy: 1.10, ropes: [on, 007], labels: {z: '', a: 1}}")
        #expect(lines == [])
        #expect(berth?.name == "n-1")
        #expect(berth?.depth == 30)
        #expect(berth?.tide == .seconds(60))
        #expect(berth?.mooring == .buoy("1.10"))
        #expect(berth?.ropes == ["on", "007"])
        #expect(berth?.labels == ["z=", "a=1"])
    }

    @Test(arguments: [
        ("{name: n, pier: 10}", ["b:1:17: pier: expected a whole number from 1 to 9"], "out of range"),
        ("{name: n, pier: 2.0}", ["b:1:17: pier: expected a whole number from 1 to 9"], "not whole"),
        ("{name: n, pier: '2'}", ["b:1:17: pier: expected a whole number from 1 to 9"], "a string"),
        ("{name: n, anchor: 1}", ["b:1:11: unknown field \"anchor\": not supported yet by this version"], "announced, and said once"),
        ("{name: n}", ["b:1:1: does not name a mooring; add one of buoy, pier"], "nothing chosen"),
        ("{name: n, pier: 1, kind: lang}", ["b:1:26: kind: expected one of short, long; did you mean \"long\"?"], "a choice"),
        (
            "{name: n, pier: 1, isCovered: On}", ["b:1:31: isCovered: expected true or false; in YAML 1.2 On is a string: write true"],
            "YAML 1.1"
        ),
        ("{name: n, pier: 1, isCovered: s3cret}", ["b:1:31: isCovered: expected true or false"], "values are not repeated"),
        ("{name: n, pier: 1, depth: }", ["b:1:27: depth: is empty; give it a value or leave it out"], "empty"),
        ("{name: n, pier: 1, ropes: {a: b}}", ["b:1:27: ropes: expected a list, found a mapping"], "a mapping for a list"),
        (
            "{name: n, pier: 1, ropes: [a, [b], ~]}",
            ["b:1:31: ropes[1]: expected a string, found a list", "b:1:36: ropes[2]: is empty; expected a string"], "items"
        ),
        (
            "{name: n, pier: 1, labels: {a.b/c: {}}}", ["b:1:36: labels[\"a.b/c\"]: expected a string, found a mapping"],
            "a quoted key in the path"
        ),
        ("{name: n, pier: 1, labels: [a]}", ["b:1:28: labels: expected a mapping, found a list"], "a list for a map"),
        ("{name: n, pier: 1, depth: 25, isCovered: true}", ["b:1:27: depth: is too deep for a roof"], "a rule over two fields"),
        (
            "- x",
            ["b:1:1: expected a mapping with the fields name, depth, tide, isCovered, kind, ropes, buoy, pier, labels, found a list"],
            "no mapping"
        ),
    ])
    func mistakesSayWhatAndWhere(text: String, expected: [String], why: String) throws {
        let (berth, lines) = try read(text)
        #expect(lines == expected, "\(why)")
        #expect(berth == nil)
    }

    @Test func schemasComeFromTheSameDeclaration() throws {
        guard case .object(let object) = Berth.schema else {
            Issue.record("the schema of an object is an object")
            return
        }
        #expect(object.names == ["name", "depth", "tide", "isCovered", "kind", "ropes", "buoy", "pier", "labels"])
        #expect(object.properties.map(\.default) == [nil, 3, "1m", false, "short", nil, nil, nil, nil])
        #expect(object.choices.map(\.names) == [["buoy", "pier"]])
        let structural = Berth.schema.structural
        #expect(structural["required"] == ["name"])
        #expect(structural["oneOf"] == [["required": ["buoy"]], ["required": ["pier"]]])
        #expect(
            structural["properties"]?["depth"] == [
                "description": "In metres. Default: 3.", "type": "integer", "format": "int64", "minimum": 1, "maximum": 30,
            ])
        #expect(structural["properties"]?["kind"]?["enum"] == ["short", "long"])
        #expect(Berth.schema.jsonSchema["properties"]?["tide"]?["default"]?.string == "1m")
    }
}
