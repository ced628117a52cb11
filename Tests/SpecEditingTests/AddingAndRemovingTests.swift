import SpecEditing
import Testing

/// A key is put in beside its siblings, or taken out.
@Suite struct AddingAndRemovingTests {
    @Test(arguments: [
        EditCase(
            "with the indentation of its siblings, behind the last one's comment",
            "  flags:\n      values:\n            a: true   # on\n\n  verify: []\n", .flag("b", to: .bool(false)),
            "  flags:\n      values:\n            a: true   # on\n            b: false\n\n  verify: []\n"),
        EditCase(
            "behind a mapping of lines", "  flags:\n    values:\n      a:\n        enabled: true\n        guard: {component: api}\n",
            .flag("b", to: .bool(true)),
            "  flags:\n    values:\n      a:\n        enabled: true\n        guard: {component: api}\n      b: true\n"),
        EditCase(
            "behind a block scalar", "  components:\n    web:\n      env:\n        A: |\n          text\n      release: v1\n",
            .set("spec", "components", "web", "env", "B", to: .text("b")),
            "  components:\n    web:\n      env:\n        A: |\n          text\n        B: b\n      release: v1\n"),
        EditCase(
            "before a block scalar that keeps its last lines, as behind it the text would change",
            "  components:\n    web:\n      env:\n        A: |+\n          text\n\n      release: v1\n",
            .set("spec", "components", "web", "env", "B", to: .text("b")),
            "  components:\n    web:\n      env:\n        B: b\n        A: |+\n          text\n\n      release: v1\n"),
        EditCase(
            "within braces", "  flags: {values: {a: true}}\n", .flag("b", to: .bool(false)), "  flags: {values: {a: true, b: false}}\n"),
        EditCase("within empty braces", "  flags: {values: {}}\n", .flag("b", to: .bool(false)), "  flags: {values: {b: false}}\n"),
        EditCase(
            "within braces over several lines", "  flags:\n    values: {\n      a: true # on\n    }\n", .flag("b", to: .bool(false)),
            "  flags:\n    values: {\n      a: true, # on\n      b: false\n    }\n"),
        EditCase(
            "within braces over several lines, behind a comma", "  flags:\n    values: {\n      a: true, # on\n    }\n",
            .flag("b", to: .bool(false)), "  flags:\n    values: {\n      a: true, # on\n      b: false,\n    }\n"),
        EditCase(
            "where nothing is written", "  flags:\n    values: # none yet\n  verify: []\n", .flag("b", to: .bool(true)),
            "  flags:\n    values: {b: true} # none yet\n  verify: []\n"),
        EditCase(
            "with all that is missing above it", "  components:\n    web: {release: v1}\n", .flag("b", to: .bool(true)),
            "  components:\n    web: {release: v1}\n  flags:\n    values:\n      b: true\n"),
        EditCase(
            "in steps as wide as the file's own", "    components:\n        web: {release: v1}\n", .flag("b", to: .bool(true)),
            "    components:\n        web: {release: v1}\n    flags:\n        values:\n            b: true\n"),
        EditCase(
            "at the end of a text without a last line break", "  flags:\n    values:\n      a: true", .flag("b", to: .bool(true)),
            "  flags:\n    values:\n      a: true\n      b: true"),
        EditCase(
            "a key that needs quotes", "  flags:\n    values:\n      a: true\n", .flag("1.10", to: .bool(true)),
            "  flags:\n    values:\n      a: true\n      \"1.10\": true\n"),
        EditCase(
            "a key with dots is one key", "  flags:\n    values:\n      a: true\n", .flag("shop.new", to: .bool(true)),
            "  flags:\n    values:\n      a: true\n      shop.new: true\n"),
    ])
    func aKeyIsAdded(_ edit: EditCase) throws {
        #expect(try edited(edit.before, edit.edit) == edit.after)
        let windows = try edited(edit.before.replacing("\n", with: "\r\n"), edit.edit)
        #expect(Array(windows.utf8) == Array(edit.after.replacing("\n", with: "\r\n").utf8), "with the line ends of Windows")
    }

    private static let b = SpecEdit.remove("spec", "flags", "values", "b")

    @Test(arguments: [
        EditCase(
            "its lines go, comments around stay",
            "  flags:\n    values:\n      a: true\n      # of c\n      b:\n        enabled: true # x\n      # more\n      c: true\n",
            b, "  flags:\n    values:\n      a: true\n      # of c\n      # more\n      c: true\n"),
        EditCase(
            "the last of several", "  flags:\n    values:\n      a: true\n      b: true\n", b, "  flags:\n    values:\n      a: true\n"),
        EditCase(
            "at the end of the text", "  flags:\n    values:\n      a: true\n      b: true", b, "  flags:\n    values:\n      a: true"),
        EditCase(
            "the only one leaves an empty mapping", "  flags:\n    values: # all\n      b: true\n", b, "  flags:\n    values: {} # all\n"),
        EditCase("within braces, first", "  flags: {values: {b: true, c: true}}\n", b, "  flags: {values: {c: true}}\n"),
        EditCase("within braces, last", "  flags: {values: {a: true, b: true}}\n", b, "  flags: {values: {a: true}}\n"),
        EditCase("within braces, alone", "  flags: {values: {b: true}}\n", b, "  flags: {values: {}}\n"),
        EditCase(
            "within braces, a line of its own", "  flags:\n    values: {\n      a: true, # on\n      b: true # off\n    }\n", b,
            "  flags:\n    values: {\n      a: true, # on\n    }\n"),
        EditCase("what is not there is not taken out", "  flags: {values: {a: true}}\n", b, "  flags: {values: {a: true}}\n"),
        EditCase(
            "a block scalar goes with its lines", "  flags:\n    values:\n      b: |\n        x\n\n        y\n      c: true\n", b,
            "  flags:\n    values:\n      c: true\n"),
    ])
    func aKeyIsRemoved(_ edit: EditCase) throws {
        #expect(try edited(edit.before, edit.edit) == edit.after)
        let windows = try edited(edit.before.replacing("\n", with: "\r\n"), edit.edit)
        #expect(Array(windows.utf8) == Array(edit.after.replacing("\n", with: "\r\n").utf8), "with the line ends of Windows")
    }

    @Test func addingAndRemovingGivesTheTextBack() throws {
        for values in ["      a: true # on\n", "      a: true", "      a: {\n        enabled: true\n      }\n"] {
            let text = head + "  flags:\n    values:\n" + values
            #expect(try edited(text, .flag("b", to: .bool(true)), Self.b) == text)
        }
    }
}
