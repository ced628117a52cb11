import Model
import SpecFields
import SpecLoading
import Testing

@Suite struct DiagnosticTests {
    @Test(arguments: [
        (
            "web: {ship: {project: x}, relase: v1}",
            ["s.yaml:5:27: spec.components.web: unknown field \"relase\"; did you mean \"release\"?"], "a typo, once"
        ),
        (
            "web: {ship: {project: x}, release: v1, zzz: 1}",
            [
                "s.yaml:5:40: spec.components.web: unknown field \"zzz\"; known are ship, barge, release, after, requires, verify, takeOwnership, allowRebuild, env, envPolicy, restoreEnv, fence, timeout"
            ],
            "nothing near"
        ),
        ("web: {ship: {project: x}}", ["s.yaml:5:6: spec.components.web.release: is required"], "no pin"),
        ("web: {ship: {project: x}, release: }", ["s.yaml:5:36: spec.components.web.release: is required, and empty"], "an empty pin"),
        ("web: {ship: {project: x}, release: ~}", ["s.yaml:5:36: spec.components.web.release: is required, and empty"], "a null pin"),
        (
            "web: {ship: {project: x}, release: ''}",
            ["s.yaml:5:36: spec.components.web.release: is empty; expected a release without blanks, at most 512 characters"],
            "an empty string"
        ),
        (
            "web: {ship: {project: x}, release: [v1]}",
            ["s.yaml:5:36: spec.components.web.release: expected a release without blanks, at most 512 characters, found a list"], "a list"
        ),
        (
            "web: {ship: {project: x}, release: {commit: abc}}",
            ["s.yaml:5:45: spec.components.web.release.commit: expected 7 to 64 hexadecimal digits of a commit"], "a short commit"
        ),
        (
            "web: {ship: {project: x}, release: {commit: 1234567, image: x}}",
            ["s.yaml:5:54: spec.components.web.release: names a kind of release twice: commit at line 5, and image; keep one"],
            "two kinds of release"
        ),
        (
            "web: {ship: {project: x}, release: {tag: x}}",
            [
                "s.yaml:5:36: spec.components.web.release: does not name a kind of release; add one of commit, image, revision, deployment",
                "s.yaml:5:37: spec.components.web.release: unknown field \"tag\"; known are commit, image, revision, deployment",
            ], "an unknown kind of release"
        ),
        (
            "web: {ship: {project: x}, release: {revision: v2}}",
            ["s.yaml:5:47: spec.components.web.release.revision: expected a whole number of at least 1"], "not a number"
        ),
        ("web: {release: v1}", ["s.yaml:5:6: spec.components.web: does not name a provider; add one of ship, barge"], "no provider"),
        (
            "web: {shipp: {project: x}, release: v1}", ["s.yaml:5:7: spec.components.web: unknown field \"shipp\"; did you mean \"ship\"?"],
            "a typo in the provider"
        ),
        (
            "web: {fly: {app: x}, release: v1}",
            ["s.yaml:5:7: spec.components.web: unknown field \"fly\": not supported yet by this version"], "a coming provider"
        ),
        (
            "web: {ship: {project: x}, barge: {slot: 1}, release: v1}",
            ["s.yaml:5:27: spec.components.web: names a provider twice: ship at line 5, and barge; keep one"], "two providers"
        ),
        (
            "web: {ship: , release: v1}",
            ["s.yaml:5:13: spec.components.web.ship: is empty; expected a mapping with the fields project, fleet"], "no target"
        ),
        (
            "web: {ship: x, release: v1}",
            ["s.yaml:5:13: spec.components.web.ship: expected a mapping with the fields project, fleet, found a single value"],
            "a scalar target"
        ),
        (
            "web: {barge: {slot: 100}, release: v1}", ["s.yaml:5:21: spec.components.web.barge.slot: expected a whole number from 1 to 99"],
            "out of range"
        ),
        (
            "web: {ship: {project: x}, release: v1, after: api}",
            ["s.yaml:5:47: spec.components.web.after: expected a list, found a single value; begin it with '- '"], "a scalar for a list"
        ),
        (
            "web: {ship: {project: x}, release: v1, takeOwnership: yes}",
            ["s.yaml:5:55: spec.components.web.takeOwnership: expected true or false; in YAML 1.2 yes is a string: write true"], "YAML 1.1"
        ),
        (
            "web: {ship: {project: x}, release: v1, allowRebuild: 'true'}",
            ["s.yaml:5:54: spec.components.web.allowRebuild: expected true or false without quotes"], "quoted"
        ),
        (
            "web: {ship: {project: x}, release: v1, timeout: 90}",
            ["s.yaml:5:49: spec.components.web.timeout: expected a duration such as 500ms, 30s, 2m or 1h30m; a number needs its unit"],
            "no unit"
        ),
        (
            "web: {ship: {project: x}, release: v1, timeout: 0s}",
            ["s.yaml:5:49: spec.components.web.timeout: expected a duration from 1s to 24h"], "too short"
        ),
        (
            "Web_1: {ship: {project: x}, release: v1}",
            [
                "s.yaml:5:1: spec.components.Web_1: expected a name of lower-case letters, digits and '-' that begins with a letter, at most 63"
            ], "a bad name"
        ),
        (
            "web: {ship: {project: x}, release: v1, verify: [{http: {url: 'https://u:hunter2@x/'}}]}",
            [
                "s.yaml:5:62: spec.components.web.verify[0].http.url: expected a URL that begins with https:// or http://, without blanks and without a user or password"
            ],
            "a password is not repeated"
        ),
        (
            "web: {ship: {project: x}, release: v1, verify: [{http: {url: 'http://x/', status: 99}}, {htp: {url: 'http://x/'}}]}",
            [
                "s.yaml:5:83: spec.components.web.verify[0].http.status: expected a whole number from 100 to 599",
                "s.yaml:5:90: spec.components.web.verify[1]: unknown field \"htp\"; did you mean \"http\"?",
            ], "places in a list"
        ),
        (
            "web: {ship: {project: x}, release: v1, verify: [{http: {url: 'http://x/', consecutive: 5, every: 30s, within: 60s}}]}",
            [
                "s.yaml:5:56: spec.components.web.verify[0].http: 5 successes in a row, one every 30s, take 2m, and within is 1m: the check could never pass; raise within to at least 2m, or lower consecutive or every"
            ], "a check that cannot pass"
        ),
        (
            "web: {ship: {project: x}, release: v1, verify: [{http: {url: 'http://x/', consecutive: 32}}]}",
            [
                "s.yaml:5:56: spec.components.web.verify[0].http: 32 successes in a row, one every 2s, take 1m2s, and within is 1m: the check could never pass; raise within to at least 1m2s, or lower consecutive or every"
            ], "a check that cannot pass within what is not written"
        ),
        (
            "web: {ship: {project: !vault x}, release: v1}",
            ["s.yaml:5:23: spec.components.web.ship.project: tags such as !vault are not supported; write the value itself"], "a tag"
        ),
        (
            "web: {ship: {project: x}, release: v1}, web: {ship: {project: y}, release: v1}",
            ["s.yaml:5:41: the key \"web\" stands here for the second time; the first is at line 5, column 1"], "a name twice"
        ),
        ("", ["s.yaml:4:20: spec.components: is empty; expected at least 1 entry"], "no components"),
    ])
    func aMistakeInAComponentSaysWhatAndWhere(components: String, expected: [String], why: String) {
        let result = load(system(components))
        #expect(result.lines == expected, "\(why)")
        #expect(result.systems.isEmpty)
    }

    @Test(arguments: [
        (
            "a: {ship: {project: a}, release: v1}\n, web: {ship: {project: x}, release: v1, after: [apo, a]}\n, api: {barge: {slot: 1}, release: v1}",
            ["s.yaml:6:50: spec.components.web.after[0]: there is no component \"apo\"; did you mean \"api\"?"], "the nearest name"
        ),
        (
            "web: {ship: {project: x}, release: v1, after: [database]}",
            ["s.yaml:5:48: spec.components.web.after[0]: there is no component \"database\"; this is the only one"], "alone"
        ),
        (
            "web: {ship: {project: x}, release: v1, after: [web]}",
            ["s.yaml:5:48: spec.components.web.after[0]: a component cannot come after itself"], "itself"
        ),
        (
            "a: {ship: {project: a}, release: v1, after: [b, b]}\n, b: {ship: {project: b}, release: v1}",
            ["s.yaml:5:49: spec.components.a.after[1]: \"b\" stands here twice"], "twice"
        ),
        (
            "a: {ship: {project: a}, release: v1, after: [b]}\n, b: {ship: {project: b}, release: v1, after: [c]}\n, c: {ship: {project: c}, release: v1, after: [d, a]}\n, d: {ship: {project: d}, release: v1}",
            ["s.yaml:7:51: spec.components.c.after[1]: the order goes in a circle: a -> b -> c -> a"], "a cycle"
        ),
        (
            "a: {ship: {project: a}, release: v1, after: [b]}\n, b: {ship: {project: b}, release: v1, after: [c]}\n, c: {ship: {project: c}, release: v1, after: [b]}",
            ["s.yaml:7:48: spec.components.c.after[0]: the order goes in a circle: b -> c -> b"], "a cycle with a way into it"
        ),
        (
            "a: {ship: {project: x}, release: v1}\n, b: {ship: {project: x}, release: v2}",
            ["s.yaml:6:13: spec.components.b.ship: ship -/x belongs to component a already, at s.yaml:5:11"],
            "one target for two components"
        ),
        (
            "a: {ship: {project: x}, release: v1, after: [zz]}\n, b: {ship: {project: x}, relase: v2, after: [a]}\n, zx: {barge: {slot: 1}, release: v1, after: [b]}",
            [
                "s.yaml:5:46: spec.components.a.after[0]: there is no component \"zz\"; did you mean \"zx\"?",
                "s.yaml:6:13: spec.components.b.ship: ship -/x belongs to component a already, at s.yaml:5:11",
                "s.yaml:6:27: spec.components.b: unknown field \"relase\"; did you mean \"release\"?",
            ], "a typo hides no reference"
        ),
    ])
    func referencesAreChecked(components: String, expected: [String], why: String) {
        #expect(load(system(components)).lines == expected, "\(why)")
    }

    @Test(arguments: [
        ("", ["s.yaml:1:1: the file is empty; expected a System: apiVersion: belay.dev/v1alpha1, kind: System"], "an empty file"),
        (
            "# nothing\n---\n", ["s.yaml:1:1: the file is empty; expected a System: apiVersion: belay.dev/v1alpha1, kind: System"],
            "only a comment"
        ),
        ("hello", ["s.yaml:1:1: expected a System (apiVersion: belay.dev/v1alpha1, kind: System), found a single value"], "prose"),
        ("- a\n", ["s.yaml:1:1: expected a System (apiVersion: belay.dev/v1alpha1, kind: System), found a list"], "a list"),
        ("a: [\n", ["s.yaml:2:1: expected a value"], "not YAML"),
        ("a: b\n", ["s.yaml:1:1: apiVersion and kind are missing; expected apiVersion: belay.dev/v1alpha1 and kind: System"], "some YAML"),
        (
            "apiVersion: apps/v1\nkind: Deployment\n", ["s.yaml:2:7: kind: expected System, found Deployment"],
            "another kind, named explicitly"
        ),
        ("apiVersion: belay.dev/v1alpha1\nkind: Sytem\n", ["s.yaml:2:7: kind: expected System, found Sytem"], "a typo"),
        (
            "apiVersion: belay.dev/v2\nkind: System\n", ["s.yaml:1:13: apiVersion: expected belay.dev/v1alpha1, found belay.dev/v2"],
            "a newer version"
        ),
        ("kind: System\n", ["s.yaml:1:1: apiVersion: is required; expected belay.dev/v1alpha1"], "no apiVersion"),
        ("apiVersion: belay.dev/v1alpha1\n", ["s.yaml:1:1: kind: is required; expected System"], "no kind"),
        (
            "apiVersion: belay.dev/v1alpha1\nkind: System\n", ["s.yaml:1:1: metadata: is required", "s.yaml:1:1: spec: is required"],
            "nothing in it"
        ),
        (
            "apiVersion: belay.dev/v1alpha1\nkind: System\nmetadata: {name: Shop, namespace: a.b, name2: x}\nspec: {databases: {}, flags: {}, verifi: []}\n",
            [
                "s.yaml:3:18: metadata.name: expected lower-case letters, digits, '-' and '.', at most 253",
                "s.yaml:3:35: metadata.namespace: expected lower-case letters, digits and '-', at most 63",
                "s.yaml:3:40: metadata: unknown field \"name2\"; known are name, namespace, labels, annotations, creationTimestamp, deletionGracePeriodSeconds, "
                    + "deletionTimestamp, finalizers, generation, managedFields, ownerReferences, resourceVersion, selfLink, uid",
                "s.yaml:4:19: spec.databases: is empty; expected at least 1 entry",
                "s.yaml:4:23: spec: unknown field \"flags\": not supported yet by this version",
                "s.yaml:4:34: spec: unknown field \"verifi\"; did you mean \"verify\"?",
            ], "the head of a document"
        ),
    ])
    func aMistakeInADocumentSaysWhatAndWhere(text: String, expected: [String], why: String) {
        let result = load(text)
        #expect(result.lines == expected, "\(why)")
        #expect(result.systems.isEmpty)
    }

    @Test(arguments: [
        ("consecutive: 31", "the last attempt is made at the very end"),
        ("consecutive: 3, every: 30s", "the same with a pause of its own"),
        ("within: 0s", "one attempt needs no time"),
    ])
    func aCheckThatCanJustPassIsAccepted(fields: String, why: String) {
        let result = load(system("web: {ship: {project: x}, release: v1, verify: [{http: {url: 'http://x/', \(fields)}}]}"))
        #expect(result.lines == [], "\(why)")
    }

    @Test func aSpoiltSystemInADirectoryTreeIsNotPassedOver() {
        #expect(load("apiVersion: belay.dev/v1alpha1\nkind: [\n", isExplicit: false).lines == ["s.yaml:3:1: expected a value"])
        #expect(
            load("apiVersion: belay.dev/v1alpha1\nkind: Sytem\n", isExplicit: false).lines == [
                "s.yaml:2:7: kind: expected System, found Sytem"
            ])
        #expect(load("kind: System\n", isExplicit: false).lines == ["s.yaml:1:1: apiVersion: is required; expected belay.dev/v1alpha1"])
    }

    @Test func namesAndTargetsAreUniqueOverAllFiles() {
        let text = system("web: {ship: {project: x, fleet: acme}, release: v1}")
        let result = loader.load([
            SourceFile(name: "a.yaml", bytes: Array(text.utf8)), SourceFile(name: "b.yaml", bytes: Array(text.utf8)),
            SourceFile(name: "c.yaml", bytes: Array(text.replacing("shop", with: "other").utf8)),
        ])
        #expect(
            result.lines == [
                "b.yaml:3:18: metadata.name: a system default/shop stands already at a.yaml:3:18",
                "b.yaml:5:13: spec.components.web.ship: ship acme/x belongs to component web already, at a.yaml:5:13",
                "c.yaml:5:13: spec.components.web.ship: ship acme/x belongs to component web of default/shop already, at a.yaml:5:13",
            ])
    }

    @Test func tenMistakesInThreeFilesAreToldAtOnce() {
        let first = """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata:
              name: one
            spec:
              components:
                web:
                  ship: {project: web, flet: acme}
                  release: v1
                  release: v2
                  after: [appi]
                api:
                  barge: {slot: "x"}
                  release: v3
                  verify:
                    - http: {url: example.com}
            """
        let second = """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata:
              name: one
            spec:
              flags: {}
              components:
                worker:
                  ship: {project: worker}
                  release:
                docs:
                  release: v1
            """
        let third = """
            apiVersion: belay.dev/v1beta1
            kind: System
            ---
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata: {name: three}
            spec:
              components:
                a: {ship: {project: a}, release: v1}
            """
        let files = [("a.yaml", first), ("b.yaml", second), ("c.yaml", third)].map { SourceFile(name: $0.0, bytes: Array($0.1.utf8)) }
        #expect(
            loader.load(files).lines == [
                "a.yaml:8:28: spec.components.web.ship: unknown field \"flet\"; did you mean \"fleet\"?",
                "a.yaml:10:7: the key \"release\" stands here for the second time; the first is at line 9, column 7",
                "a.yaml:11:15: spec.components.web.after[0]: there is no component \"appi\"; did you mean \"api\"?",
                "a.yaml:13:21: spec.components.api.barge.slot: expected a whole number from 1 to 99",
                "a.yaml:16:23: spec.components.api.verify[0].http.url: expected a URL that begins with https:// or http://, without blanks and without a user or password",
                "b.yaml:4:9: metadata.name: a system default/one stands already at a.yaml:4:9",
                "b.yaml:6:3: spec: unknown field \"flags\": not supported yet by this version",
                "b.yaml:10:15: spec.components.worker.release: is required, and empty",
                "b.yaml:12:7: spec.components.docs: does not name a provider; add one of ship, barge",
                "c.yaml:1:13: apiVersion: expected belay.dev/v1alpha1, found belay.dev/v1beta1",
            ])
    }
}
