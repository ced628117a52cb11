import SpecEditing
import Testing
import YAMLReading

/// A value is changed, and nothing else.
@Suite struct SettingTests {
    @Test(arguments: [
        EditCase(
            "comments, blank lines and alignment stay",
            "  components:\n    web:\n      # why v3: see #12\n\n      release:   v3   # pinned\n      after: [api]\n    api: {release: v9}\n",
            .release(to: .text("v2")),
            "  components:\n    web:\n      # why v3: see #12\n\n      release:   v2   # pinned\n      after: [api]\n    api: {release: v9}\n"
        ),
        EditCase(
            "single quotes stay", "  components: {web: {release: 'v3'}}\n", .release(to: .text("v2")),
            "  components: {web: {release: 'v2'}}\n"),
        EditCase(
            "double quotes stay", "  components:\n    web:\n      release: \"v3\"\n", .release(to: .text("v2")),
            "  components:\n    web:\n      release: \"v2\"\n"),
        EditCase(
            "a quote within single quotes is doubled", "  components: {web: {release: 'v3'}}\n", .release(to: .text("it's")),
            "  components: {web: {release: 'it''s'}}\n"),
        EditCase(
            "flow style within one line", "  components: {web: {release: v3, after: [api]}, api: {release: v3}}\n",
            .release(to: .text("v2")),
            "  components: {web: {release: v2, after: [api]}, api: {release: v3}}\n"),
        EditCase(
            "JSON is YAML", "  {\"components\": {\"web\": {\"release\": \"v3\"}}}\n", .release(to: .text("v2")),
            "  {\"components\": {\"web\": {\"release\": \"v2\"}}}\n"),
        EditCase(
            "the same name elsewhere is another value", "  databases:\n    web: {release: v3}\n  components:\n    web: {release: v3}\n",
            .release(to: .text("v2")), "  databases:\n    web: {release: v3}\n  components:\n    web: {release: v2}\n"),
        EditCase(
            "quoted keys are found", "  components:\n    \"web\":\n      'release': v3\n", .release(to: .text("v2")),
            "  components:\n    \"web\":\n      'release': v2\n"),
        EditCase(
            "a value on a line of its own", "  components:\n    web:\n      release:\n        v3 # here\n", .release(to: .text("v2")),
            "  components:\n    web:\n      release:\n        v2 # here\n"),
        EditCase(
            "a value over several lines", "  components:\n    web:\n      release: \"v\\\n        3\"\n      after: []\n",
            .release(to: .text("v2")),
            "  components:\n    web:\n      release: \"v2\"\n      after: []\n"),
        EditCase(
            "a literal block becomes a line",
            "  components:\n    web:\n      release: |-  # odd\n        v3\n\n      # next\n      after: []\n",
            .release(to: .text("v2")), "  components:\n    web:\n      release: v2  # odd\n\n      # next\n      after: []\n"),
        EditCase(
            "a folded block at the end of the text", "  components:\n    web:\n      release: >-\n        v3", .release(to: .text("v2")),
            "  components:\n    web:\n      release: v2"),
        EditCase(
            "a block scalar elsewhere is left alone",
            "  components:\n    web:\n      env:\n        MOTD: |+\n          release: v3\n\n      release: v3\n",
            .release(to: .text("v2")),
            "  components:\n    web:\n      env:\n        MOTD: |+\n          release: v3\n\n      release: v2\n"),
        EditCase(
            "the text has no last line break", "  components:\n    web:\n      release: v3", .release(to: .text("v2")),
            "  components:\n    web:\n      release: v2"),
        EditCase(
            "letters of several bytes before it", "  components:\n    api: {release: v1} # schön – 日本 🧗\n    web: {release: v3} # ü\n",
            .release(to: .text("v2")), "  components:\n    api: {release: v1} # schön – 日本 🧗\n    web: {release: v2} # ü\n"),
        EditCase(
            "a number becomes another number without quotes", "  components: {web: {release: {revision: 12}}}\n",
            .set("spec", "components", "web", "release", "revision", to: .integer(11)),
            "  components: {web: {release: {revision: 11}}}\n"),
        EditCase(
            "nothing was written", "  components:\n    web:\n      release:   # to do\n      after: []\n", .release(to: .text("v2")),
            "  components:\n    web:\n      release: v2   # to do\n      after: []\n"),
        EditCase(
            "a tag stays", "  components: {web: {release: !!str 12}}\n", .release(to: .text("v2")),
            "  components: {web: {release: !!str v2}}\n"),
        EditCase(
            "an anchor that nobody uses stays", "  components:\n    web:\n      release: &r v3\n", .release(to: .text("v2")),
            "  components:\n    web:\n      release: &r v2\n"),
        EditCase(
            "an alias elsewhere is left alone",
            "  components:\n    api: {env: &e {A: b}, release: v1}\n    web:\n      env: *e\n      release: v3\n",
            .release(to: .text("v2")),
            "  components:\n    api: {env: &e {A: b}, release: v1}\n    web:\n      env: *e\n      release: v2\n"),
    ])
    func onlyTheValueChanges(_ edit: EditCase) throws {
        #expect(try edited(edit.before, edit.edit) == edit.after)
        let windows = try edited(edit.before.replacing("\n", with: "\r\n"), edit.edit)
        #expect(Array(windows.utf8) == Array(edit.after.replacing("\n", with: "\r\n").utf8), "with the line ends of Windows")
        let marked = try edited("\u{FEFF}" + edit.before, edit.edit)
        #expect(Array(marked.utf8) == Array(("\u{FEFF}" + edit.after).utf8), "behind a byte order mark")
    }

    @Test(arguments: [
        ("1.10", "a float without quotes"), ("12", "an integer"), ("yes", "true in YAML 1.1"), ("No", "false in YAML 1.1"),
        ("null", "nothing"), ("~", "nothing"), ("12e3", "a float"), ("0x1", "hexadecimal"), ("0o17", "octal"), ("017", "octal in YAML 1.1"),
        ("1_000", "an integer in YAML 1.1"), ("1:30", "base 60 in YAML 1.1"), ("2024-06-01", "a date"), ("2001-12-14t21:59:43", "a time"),
        ("", "nothing"),
        ("true", "a Boolean"),
        (".5", "a float"), ("-", "a list item"), ("- a", "a list"), ("a: b", "a mapping"), ("a #b", "a comment"), ("#b", "a comment"),
        ("@a", "reserved"), ("`a`", "reserved"), ("*a", "an alias"), ("&a", "an anchor"), ("!a", "a tag"), ("%a", "a directive"),
        ("{a}", "a mapping"), ("[a]", "a list"), ("a, b", "two entries within braces"), ("\"a\"", "quotes"), ("'a'", "quotes"),
        (" a", "a blank"),
        ("a\nb", "a line break"), ("a\tb", "a tab"), ("a\\b", "a backslash"), ("a:", "a key"), ("a\u{7}b", "a control character"),
        ("+.inf", "a float"),
    ])
    func whatWouldBeReadAsSomethingElseGetsQuotes(_ value: String, _ otherwise: String) throws {
        for style in ["v3", "'v3'", "\"v3\"", "|-\n        v3", "{commit: abcdef1}"] {
            let text = try edited(head + "  components:\n    web:\n      release: \(style)\n", .release(to: .text(value)))
            let written = try #require(text.split(separator: "\n").last?.split(separator: "release: ").last)
            #expect(written.first == "\"" || written.first == "'", "\(otherwise): \(written)")
            let node = try SpecText(Array(text.utf8)).value(at: ["spec", "components", "web", "release"], of: shop)
            #expect(node?.string == value)
        }
    }

    @Test(arguments: [
        "v1.41.3", "dpl_7HxQ2m", "3f2c1ab", "20240611_add_index", "sha256:0a1b", "registry.example.com/shop:v1", "none", "1.2.3-rc1",
        "12e3f", "1_t",
    ])
    func whatIsReadAsItselfGetsNone(_ value: String) throws {
        let text = try edited(head + "  components: {web: {release: v3}}\n", .release(to: .text(value)))
        #expect(text == head + "  components: {web: {release: \(value)}}\n")
    }

    @Test(arguments: [
        EditCase(
            "a word becomes a mapping", "  components:\n    web:\n      release: v3 # why\n      after: []\n",
            .release(to: .mapping([.init("commit", .text("3f2c1ab"))])),
            "  components:\n    web:\n      release: {commit: 3f2c1ab} # why\n      after: []\n"),
        EditCase(
            "a mapping within braces becomes a word", "  components:\n    web: {release: {commit: 3f2c1ab}, after: []}\n",
            .release(to: .text("v3")), "  components:\n    web: {release: v3, after: []}\n"),
        EditCase(
            "a mapping of lines becomes a word; the comment of its key stays",
            "  components:\n    web:\n      release: # pinned\n        # by commit\n        commit: 3f2c1ab # now\n      # next\n      after: []\n",
            .release(to: .text("v3")), "  components:\n    web:\n      release: v3 # pinned\n      # next\n      after: []\n"),
        EditCase(
            "a mapping of lines at the end of the text", "  components:\n    web:\n      release:\n        commit: 3f2c1ab",
            .release(to: .text("v3")), "  components:\n    web:\n      release: v3"),
        EditCase(
            "a list of lines as deep as its key", "  components:\n    web:\n      release:\n      - a\n      - b\n      after: []\n",
            .release(to: .text("v3")), "  components:\n    web:\n      release: v3\n      after: []\n"),
        EditCase(
            "a flag becomes a mapping", "  flags:\n    values:\n      new_player: true\n",
            .flag("new_player", to: .mapping([.init("enabled", .bool(true)), .init("rollout", .integer(25))])),
            "  flags:\n    values:\n      new_player: {enabled: true, rollout: 25}\n"),
        EditCase(
            "text and Boolean are different things", "  flags:\n    values: {a: \"true\"}\n", .flag("a", to: .bool(true)),
            "  flags:\n    values: {a: true}\n"),
    ])
    func aValueBecomesAMappingAndBack(_ edit: EditCase) throws {
        #expect(try edited(edit.before, edit.edit) == edit.after)
        let windows = try edited(edit.before.replacing("\n", with: "\r\n"), edit.edit)
        #expect(Array(windows.utf8) == Array(edit.after.replacing("\n", with: "\r\n").utf8), "with the line ends of Windows")
    }

    @Test func whatIsThereAlreadyIsLeftAsItWasWritten() throws {
        for written in ["v3", "'v3'", "\"v3\"", ">-\n        v3"] {
            let text = head + "  components:\n    web:\n      release: \(written)\n"
            #expect(try edited(text, .release(to: .text("v3"))) == text)
        }
    }
}
