import Testing
import TextLayout

@Suite struct TextLayoutTests {
    @Test func columnsAreAlignedAndNoLineEndsInSpaces() {
        var table = TextTable(header: ["NAME", "LIVE", ""], style: .plain, indent: 2)
        table.add(["web", "dpl_1", "in sync"])
        table.add(["backend", "v1", ""])
        #expect(table.rendered() == "  NAME     LIVE\n  web      dpl_1  in sync\n  backend  v1\n")
    }

    @Test func emphasisDoesNotDisturbTheColumns() {
        let style = TextStyle(isColoured: true)
        var table = TextTable(style: style)
        table.add([.init("a", style.red), "b"])
        #expect(table.rendered() == "\u{1B}[31ma\u{1B}[0m  b\n")
    }

    @Test(arguments: [
        ("fix: a\nb", "fix: a b", "a commit message has lines"),
        ("\u{1B}[2Jgone", "[2Jgone", "an escape sequence must not reach the terminal"),
        ("abc\u{202E}txt", "abctxt", "a directional override hides what follows"),
    ])
    func providersTextCannotMoveTheCursor(text: String, expected: String, reason: Comment) {
        #expect(text.printable == expected, reason)
    }

    @Test func aLongTextIsCutVisibly() {
        #expect("abcdef".shortened(to: 4) == "abc…")
        #expect("abcd".shortened(to: 4) == "abcd")
    }
}
