import TestPrograms
import Testing

@testable import EnvFileProvider

@Suite struct EnvTextTests {
    @Test(arguments: [
        ("A=b", "b", "plain"),
        ("A=", "", "empty"),
        ("A=   ", "", "blanks only"),
        ("A= # none", "", "a comment and no value"),
        ("export A=b", "b", "exported"),
        ("  export\tA=b  ", "b", "blanks around it"),
        ("A=b # c", "b", "a comment after a blank"),
        ("A=postgres://u:p@h:5432/d?sslmode=disable", "postgres://u:p@h:5432/d?sslmode=disable", "a URL"),
        ("A='b # c'", "b # c", "quoted, # is no comment"),
        ("A='$HOME `x` \\n \"q\"'", "$HOME `x` \\n \"q\"", "single quotes are literal"),
        ("A=\"it's\" # c", "it's", "double quotes, and a comment"),
        ("A=''", "", "quoted and empty"),
        ("A=\"one\ntwo\n\"\nB=x", "one\ntwo\n", "several lines"),
        ("A=\"one\r\ntwo\"\r\nB=x\r\n", "one\ntwo", "several lines with CRLF"),
        ("A=b\r\n", "b", "CRLF is no part of it"),
        ("A=1\nA=2", "2", "the last one counts"),
        ("\u{FEFF}A=b", "b", "behind a byte order mark"),
        ("# A=c\nA=b\n#A=d", "b", "comments hold no assignments"),
        ("set -a\nA b\nA: x\nexport A\nA=b\nnot a line that's one", "b", "other lines are passed over"),
    ])
    func aValueIsReadAsEveryReaderReadsIt(text: String, value: String, why: String) throws {
        #expect(try EnvText(Array(text.utf8)).settings["A"] == .some(value), "\(why)")
    }

    @Test(arguments: [
        ("A=$B", "a shell expands it"), ("A=b c", "a shell runs c"), ("A=b#c", "one dotenv cuts it"), ("A = b", "no shell takes it"),
        ("A =b", "no shell takes it either"),
        ("A= b", "a shell runs b"), ("A=\"a\\nb\"", "dotenv makes a newline of it"), ("A=\"$B\"", "expanded by some"),
        ("A=\"`b`\"", "a shell runs b"), ("A='b\\'", "an escape for some"), ("A=b\\c", "a shell drops the backslash"),
        ("A='b'#c", "a shell joins them"), ("A=~/x", "a shell expands it"), ("A=b;c", "two commands"), ("A='a\rb'", "a line end for some"),
    ])
    func whereReadersDisagreeTheValueIsNotKnown(text: String, why: String) throws {
        #expect(try EnvText(Array(text.utf8)).settings["A"] == .some(nil), "\(why)")
    }

    @Test(arguments: [
        ("A=b\nB='c\nC=d\n", 2, "its quote ' is never closed"), ("A=\"b\n\nC=d", 1, "its quote \" is never closed"),
        ("A=\"b\\\"", 1, "its quote \" is never closed"), ("A=b\nB='c'd", 2, "something follows the closing quote"),
        ("A=\"b\nc\" d", 2, "something follows the closing quote"), ("A=b\n\u{0}\n", 2, "it holds a zero byte"),
    ])
    func whatCannotBeUnderstoodIsToldWithItsLine(text: String, line: Int, what: String) {
        #expect(throws: EnvText.Flaw(line: line, what: what)) { try EnvText(Array(text.utf8)) }
    }

    @Test func bytesThatAreNoTextAreToldWithTheirLine() {
        #expect(throws: EnvText.Flaw(line: 2, what: "it is not UTF-8")) { try EnvText(Array("A=b\nB=".utf8) + [0xFF, 0x0A]) }
    }

    @Test(
        arguments: [
            (
                "# top\nA=1 # one\n\n  export B='2'\nodd line\n", ["B": "two"], [], "# top\nA=1 # one\n\n  export B=two\nodd line\n",
                "in its place"
            ),
            ("A=1 # one\n", ["A": "'x y'"], [], "A='x y' # one\n", "the comment stays"),
            ("A = b\n", ["A": "c"], [], "A=c\n", "the blanks around = go"),
            ("A='b'#c\n", ["A": "d"], [], "A=d #c\n", "the comment stays one"),
            ("A=\"1\n2\"\nB=3", ["A": "x"], [], "A=x\nB=3", "several lines become one"),
            ("A=1", ["C": "3", "B": "2"], [], "A=1\nB=2\nC=3\n", "new ones come last, sorted, on lines of their own"),
            ("A=1\r\nB=2\r\n", ["B": "3", "C": "\"x\ny\""], [], "A=1\r\nB=3\r\nC=\"x\r\ny\"\r\n", "CRLF stays"),
            ("A=1\nA=2\n", ["A": "3"], [], "A=1\nA=3\n", "the one that counts"),
            ("# a\nA=1\nB=\"x\ny\" # b\nA=2\n", [:], ["A", "B"], "# a\n", "removed, with all their lines"),
            ("", ["A": ""], [], "A=\n", "an empty file"),
        ] as [(String, [String: String], Set<String>, String, String)])
    func onlyWhatIsAskedForChanges(text: String, setting: [String: String], removing: Set<String>, expected: String, why: String) throws {
        let edited = try EnvText(Array(text.utf8)).edited(setting: setting, removing: removing)
        #expect(String(decoding: edited, as: UTF8.self) == expected, "\(why)")
    }

    static let values = [
        "", "plain", "a b", " a ", "it's", "#x", "a # b", "$HOME", "`id`", "a\\nb", "\"quoted\"", "{\"a\": [1, 2]}", "~", "a;b&c|d>e",
        "ü€😀",
        "-----BEGIN X-----\nMII+/=\n-----END X-----\n", "it's\ntwo", "$A\n$B", "*", "!x", "a\tb", "=", "\\\\x", "${A}",
    ]

    @Test(arguments: values)
    func whatIsWrittenIsReadBackAndByAShellAsWell(value: String) async throws {
        let written = try #require(EnvText.written(value))
        let text = try EnvText([]).edited(setting: ["A": written, "B": "end"], removing: [])
        #expect(try EnvText(text).settings == ["A": value, "B": "end"])
        let place = try Place()
        try place.write(".env", String(decoding: text, as: UTF8.self))
        let ended = try await BuiltProgram(onSearchPath: "sh").run(
            ["-c", "set -a; . ./.env; printf '%s|%s' \"$A\" \"$B\""], variables: [:], in: place.root)
        #expect(ended.output == value + "|end")
        try place.remove()
    }

    @Test(arguments: ["it's $5", "it's a `b`", "it's \"x\"", "it's\\", "a\r\nb", "ends with \\", "\u{0}"])
    func whatReadersWouldNotReadAlikeIsNotWritten(value: String) { #expect(EnvText.written(value) == nil) }
}
