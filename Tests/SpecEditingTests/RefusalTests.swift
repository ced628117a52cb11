import Model
import SpecEditing
import Testing

/// What is not changed, and in which words.
@Suite struct RefusalTests {
    @Test(arguments: [
        (
            "the release is an alias", "  components:\n    api: {release: &v v3}\n    web: {release: *v}\n",
            "8:20: spec.components.web.release is the alias *v of a value that stands elsewhere (line 7); write the value out here, or change it there by hand"
        ),
        (
            "the component is an alias", "  components:\n    api: &a {release: v3}\n    web: *a\n",
            "8:10: spec.components.web is the alias *a of a value that stands elsewhere (line 7); write the value out here, or change it there by hand"
        ),
        (
            "aliases elsewhere would change as well",
            "  components:\n    web: {release: &v v3}\n    api: {release: *v}\n    worker: {release: *v}\n",
            "7:20: spec.components.web.release is anchored as &v, and *v in line 8, 9 would change with it; write the value out there first"
        ),
        (
            "the whole component stands in two places", "  components:\n    web: &w\n      release: v3\n    api: *w\n",
            "7:10: spec.components.web is anchored as &w, and *w in line 9 would change with it; write the value out there first"
        ),
        (
            "a word cannot hold a key", "  components:\n    web: v3\n",
            "7:10: spec.components.web is no mapping, so that it cannot hold release"
        ),
        (
            "a list cannot hold a key", "  components:\n    web: [v3]\n",
            "7:10: spec.components.web is no mapping, so that it cannot hold release"
        ),
        (
            "a key twice", "  components:\n    web: {release: v3}\n    web: {release: v4}\n",
            "8:5: the key \"web\" stands here for the second time; the first is at line 7, column 5"
        ),
        ("not YAML", "  components: {\n", "7:1: expected a value"),
        (
            "another anchor would be lost", "  components:\n    web: {release: {commit: &c abcdef1}}\n    api: {release: {commit: *c}}\n",
            "7:11: spec.components.web.release cannot be changed here without changing something else; edit the file by hand"
        ),
    ])
    func aRefusalSaysWhereAndWhatToDo(_ why: String, _ spec: String, _ message: String) {
        let error = #expect(throws: SpecEditError.self, "\(why)") { try edited(head + spec, .release(to: .text("v2"))) }
        #expect(error?.description == message, "\(why)")
    }

    @Test func theSystemIsChosenAmongTheDocumentsOfAFile() throws {
        func system(_ name: String, _ namespace: String? = nil, release: String) -> String {
            let namespace = namespace.map { ", namespace: \($0)" } ?? ""
            return "kind: System\nmetadata: {name: \(name)\(namespace)}\nspec: {components: {web: {release: \(release)}}}\n"
        }
        let config = "kind: ConfigMap\nmetadata: {name: shop}\n"
        func text(_ first: String, _ second: String) -> String {
            "%YAML 1.2\n---\n" + config + "--- # the first\n" + system("shop", release: first) + "...\n---\n"
                + system("shop", "staging", release: second)
                + "---\n# nothing here\n"
        }
        #expect(try edited(text("v1", "v2"), .release(to: .text("v3"))) == text("v3", "v2"))
        #expect(
            try edited(text("v1", "v2"), .release(to: .text("v3")), system: SystemID(namespace: "staging", name: "shop"))
                == text("v1", "v3"))
        let missing = #expect(throws: SpecEditError.self) {
            try edited(text("v1", "v2"), .release(to: .text("v3")), system: SystemID(name: "blog"))
        }
        #expect(missing?.description == "1:1: the file does not hold the system default/blog")
        let twice = #expect(throws: SpecEditError.self) {
            try edited(system("shop", release: "v1") + "---\n" + system("shop", "default", release: "v1"), .release(to: .text("v3")))
        }
        #expect(twice?.description == "5:1: the file holds the system default/shop 2 times; take the others out")
    }

    @Test func explicitKeysAreChangedOrRefusedNeverBroken() throws {
        let text = head + "  components:\n    ? web\n    : release: v3\n      after: []\n"
        #expect(try edited(text, .release(to: .text("v2"))) == text.replacing("v3", with: "v2"))
        let map = head + "  components:\n    web:\n      ? release\n      :\n        commit: abcdef1\n"
        let error = #expect(throws: SpecEditError.self) { try edited(map, .release(to: .text("v2"))) }
        #expect(error?.code == .unchangeable)
    }
}
