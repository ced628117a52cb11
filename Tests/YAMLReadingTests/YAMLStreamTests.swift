import Testing
import YAMLReading

@Suite struct YAMLStreamTests {
    @Test func nodesKnowWhereTheyStand() throws {
        let node = try YAMLNode(reading: Array("# a\nname: é x\nlist:\n  - \"1\"\n  - {k: v}\nempty:\n".utf8))
        #expect(node.mark == YAMLMark(line: 2, column: 1))
        #expect(node["name"]?.mark == YAMLMark(line: 2, column: 7))
        #expect(node["list"]?[0]?.mark == YAMLMark(line: 4, column: 5))
        #expect(node["list"]?[1]?["k"]?.mark == YAMLMark(line: 5, column: 9))
        #expect(node.mapping?.entries[1].keyMark == YAMLMark(line: 3, column: 1))
        #expect(node["empty"]?.mark == YAMLMark(line: 6, column: 7))
        #expect(node["empty"]?.isNull == true)
        #expect(node["list"]?[0]?.content == .scalar("1", .doubleQuoted))
    }

    @Test func columnsCountCharactersNotBytes() throws {
        #expect(try YAMLNode(reading: Array("{\"äöü\": x}".utf8)).entries[0].value.mark == YAMLMark(line: 1, column: 9))
    }

    @Test func scalarsKeepWhatWasWritten() throws {
        let node = try YAMLNode(reading: Array("[1.10, on, 0x1F, 1e3, ~, '007']".utf8))
        #expect(
            node.items.map(\.content) == [
                .scalar("1.10", .plain), .scalar("on", .plain), .scalar("0x1F", .plain), .scalar("1e3", .plain), .scalar("~", .plain),
                .scalar("007", .singleQuoted),
            ])
    }

    @Test func severalDocumentsAndAByteOrderMark() {
        let stream = YAMLStream(reading: Array("\u{FEFF}a: 1\n---\n---\nb: 2\n...\n".utf8))
        #expect(stream.problems.isEmpty)
        #expect(stream.documents.count == 3)
        #expect(stream.documents[0].mark == YAMLMark(line: 1, column: 1) || stream.documents[0].mark == YAMLMark(line: 1, column: 2))
        #expect(stream.documents[1].isNull)
        #expect(stream.documents[2]["b"]?.int == 2)
    }

    @Test func aTextWithoutContentHasNoDocument() {
        for text in ["", "\n\n", "# only a comment\n"] { #expect(YAMLStream(reading: Array(text.utf8)).documents.isEmpty, "\(text)") }
    }

    @Test func anAliasStandsForItsAnchor() throws {
        let node = try YAMLNode(reading: Array("a: &x {k: [1]}\nb: *x\nc: &y z\nd: *y\n".utf8))
        #expect(node["b"] == node["a"])
        #expect(node["d"]?.string == "z")
    }

    @Test(arguments: [
        ("a: 1\nb: 2\na: 3\n", "3:1: the key \"a\" stands here for the second time; the first is at line 1, column 1", "duplicate"),
        (
            "a: 1\n'a': 3\n", "2:1: the key \"a\" stands here for the second time; the first is at line 1, column 1",
            "quoted is the same key"
        ),
        (
            "a: &x {k: 1}\nb:\n  <<: *x\n",
            "3:3: the merge key << is not supported; write the fields out, or use an alias (*name) for a whole value", "merge"
        ),
        ("? [a]\n: 1\n", "1:3: a key must be a single word or string, not a list or a mapping", "a list as key"),
        ("a: *x\n", "1:4: the alias *x names nothing: there is no &x above it", "undefined alias"),
        ("a: &x [*x]\n", "1:8: the alias *x stands inside the value that it names", "endless"),
        (
            "a: 1\n  b: 2\n", "2:4: ':' cannot stand here; look at the indentation, and put a value that contains \": \" in quotes",
            "indented too far"
        ),
        ("a: x: y\n", "1:5: ':' cannot stand here; look at the indentation, and put a value that contains \": \" in quotes", "two colons"),
        ("a: 1\nb\nc: 2\n", "2:1: expected \"key: value\"; the ':' behind this key is missing", "no colon"),
        ("a:\n\t- b\n", "2:1: a tab stands where spaces must indent", "a tab"),
        ("a: \"b\nc: d\n", "1:4: this quoted string has no closing quote", "open quote"),
        ("a: [1, 2\nb: 3\n", "2:2: expected ',' or ']' in the list that begins at line 1, column 4", "open list"),
        ("a: {b: 1\n", "2:1: expected ',' or '}' in the mapping that begins at line 1, column 4", "open mapping"),
        ("a: @b\n", "1:4: a value cannot begin with this character; put the value in quotes", "reserved"),
        ("a: *.example.com\n", "1:4: '*' begins an alias; put a value that begins with '*' in quotes", "a wildcard"),
        ("a: \"\\d\"\n", "1:5: unknown escape in a double-quoted string; write \\\\ for a backslash, or use single quotes", "an escape"),
        (
            "- a\nb: c\n", "2:1: expected '-' and the next item of the list that begins at line 1, column 1; look at the indentation",
            "list, then key"
        ),
        (
            "a: &x\n - b\n c: d\n",
            "3:2: expected '-' and the next item of the list that begins at line 2, column 2; look at the indentation", "no dash"
        ),
        ("a: !x!y z\n", "1:4: this tag is not defined; remove it, or put a value that begins with '!' in quotes", "undefined tag"),
        ("a: 1\nb: \u{7}\n", "2:4: the character U+0007 is not allowed; is this a text file?", "a control character"),
    ])
    func problemsSayWhatAndWhere(text: String, expected: String, why: String) {
        #expect(YAMLStream(reading: Array(text.utf8)).problems.map(\.description) == [expected], "\(why)")
    }

    @Test func invalidUTF8IsFoundAtItsPlace() {
        let stream = YAMLStream(reading: Array("ä: 1\nb: ".utf8) + [0xC3, 0x28])
        #expect(stream.problems.map(\.description) == ["2:5: this byte is not UTF-8; save the file as UTF-8"])
    }

    @Test func utf16IsNamed() {
        #expect(YAMLStream(reading: [0xFF, 0xFE, 0x61, 0]).problems.map(\.description) == ["1:1: the text is UTF-16; save it as UTF-8"])
    }

    @Test func readingGoesOnBehindADuplicateKey() {
        let stream = YAMLStream(reading: Array("{a: 1, a: 2, b: 3, b: 4}\n---\nc: 1\nc: 2\n".utf8))
        #expect(stream.problems.map(\.mark) == [YAMLMark(line: 1, column: 8), YAMLMark(line: 1, column: 20), YAMLMark(line: 4, column: 1)])
        #expect(stream.documents[0]["a"]?.int == 1)
    }

    @Test func aDuplicateAmongManyKeysIsFound() {
        let text = (0..<1000).map { "k\($0): 1\n" }.joined() + "k5: 2\n"
        #expect(YAMLStream(reading: Array(text.utf8)).problems.map(\.mark) == [YAMLMark(line: 1001, column: 1)])
    }

    @Test func documentsBeforeASyntaxErrorAreKept() {
        let stream = YAMLStream(reading: Array("a: 1\n---\nb: [\n".utf8))
        #expect(stream.documents.count == 1)
        #expect(stream.problems.map(\.code) == [.syntax])
    }
}
