import FoundationEssentials
import JSONValues
import SandboxServer
import TestPrograms
import Testing

/// `reconcile flag` on a system of flags alone, which are kept in a file of flagd.
@Suite struct FlagCommandTests {
    /// A Git repository with a spec, and a store beside it.
    private struct Shop {
        let place: Place
        let state: Place

        init(_ values: String, kept: String = "on") async throws {
            place = try Place()
            state = try Place()
            try await place.git("init", "-q", "-b", "main")
            try await place.git("config", "user.name", "ann")
            try await place.git("config", "user.email", "ann@example.com")
            try place.write("flags.json", FlagPlace.definition.replacing("\"on\"}", with: "\"\(kept)\"}"))
            try place.write(".gitignore", "flags.json\n")
            try place.write("system.yaml", Self.spec(values))
            _ = try await place.commit("one")
        }

        static func spec(_ values: String) -> String {
            """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata:
              name: shop
            spec:
              flags:
                store: {flagd: {file: flags.json}}
                propagation: 1s
                values:
                  # the one that melts
                  \(values)   # since May

            """
        }

        var spec: String { place.path("system.yaml") }
        var values: String {
            get throws {
                try place.read("system.yaml").split(separator: "\n").drop { !$0.contains("melts") }.dropFirst().joined(separator: "\n")
            }
        }
        var served: String {
            get throws { try JSON(parsing: try place.read("flags.json"))["flags"]?["known"]?["defaultVariant"]?.string ?? "" }
        }

        func reconcile(_ arguments: String...) async throws -> BuiltProgram.Ended {
            let variables: [String: String?] = ["XDG_STATE_HOME": state.root, "GIT_CONFIG_GLOBAL": "/dev/null", "USER": "ann"]
            return try await BuiltProgram("reconcile").run(arguments, variables: variables, in: place.root)
        }

        func end() throws {
            try place.remove()
            try state.remove()
        }
    }

    @Test func aKillSetsTheStoreTheRecordAndTheSpec() async throws {
        let shop = try await Shop("known: true")
        #expect(try await shop.reconcile("--once", "-f", shop.spec).status == 0)
        let killed = try await shop.reconcile("flag", "known", "kill", "--reason", "melts the database", "-f", shop.spec)
        #expect(killed.status == 0, "\(killed.output)\(killed.errors)")
        #expect(killed.output.contains("known: off in flagd/\(shop.place.root)/flags.json now (was on)"), "\(killed.output)")
        #expect(killed.output.contains("they may see the old value for 1 s"))
        #expect(killed.output.contains("commit and push it; until then the flag is told as killed by hand, and stays off"))
        #expect(try shop.served == "off")
        let values = try shop.values
        #expect(values.contains("kill: true") && values.contains("# since May"), "\(values)")

        _ = try await shop.place.git("checkout", "-q", "system.yaml")
        let old = try await shop.reconcile("--once", "-f", shop.spec)
        #expect(old.status == 0 && old.output.contains("it was switched off by hand: melts the database (ann@"), "\(old.output)")
        #expect(try shop.served == "off", "a pass over the old spec leaves it off")

        let on = try await shop.reconcile("flag", "known", "on", "-f", shop.spec, "--commit")
        #expect(on.status == 0, "\(on.output)\(on.errors)")
        #expect(try shop.values.contains("kill: false"), "on clears what was killed by hand")
        #expect(try shop.served == "off", "only the pin, without --now")
        #expect(try await shop.reconcile("--once", "-f", shop.spec).status == 0)
        #expect(try shop.served == "on")
        try shop.end()
    }

    @Test func aKillGoesThroughWhereTheSpecCannotBeWritten() async throws {
        let shop = try await Shop("known: {enabled: true, rollout: 25}", kept: "on")
        // Uncommitted changes: then nothing is committed by a command.
        try shop.place.write("system.yaml", try shop.place.read("system.yaml") + "# a note\n")
        let killed = try await shop.reconcile("flag", "known", "kill", "--commit", "-f", shop.spec)
        #expect(killed.status == 3, "\(killed.output)\(killed.errors)")
        #expect(killed.output.contains("the spec was not changed"))
        #expect(
            killed.output.contains(
                "commit this, or the flag is told as killed by hand, and stays off: "
                    + "spec.flags.values.known: {enabled: true, rollout: 25, kill: true}"), "\(killed.output)")
        #expect(try shop.served == "off")
        let json = try await shop.reconcile("flag", "known", "kill", "--commit", "-f", shop.spec, "-o", "json")
        let answer = try JSON(parsing: json.output)
        #expect(answer["kind"] == "FlagChange" && answer["store"]?["after"] == "off" && answer["spec"]?.object == nil)
        #expect(answer["toCommit"]?.string?.contains("kill: true") == true && answer["exitCode"]?.integer == 3)
        try shop.end()
    }

    @Test func aKillGoesThroughWhereTheSpecRefersToWhatIsNotThere() async throws {
        let shop = try await Shop("known: true")
        #expect(try await shop.reconcile("--once", "--adopt", "-f", shop.spec).status == 0)
        let good = try shop.place.read("system.yaml")
        try shop.place.write("system.yaml", good + "      other: {enabled: false, guard: {component: nope, release: '>=v1'}}\n")
        let killed = try await shop.reconcile("flag", "known", "kill", "--reason", "it melts", "-f", shop.spec)
        #expect(killed.status == 1, "\(killed.output)\(killed.errors)")
        #expect(killed.errors.contains("none of which is in the way of a kill"), "\(killed.errors)")
        #expect(killed.output.contains("commit this, or the flag is told as killed by hand"), "\(killed.output)")
        #expect(try shop.served == "off")
        try shop.place.write("system.yaml", good.replacing("known: true", with: "known: {enabled: true, kill: true}"))
        let told = try await shop.reconcile("flag", "known", "-f", shop.spec)
        #expect(told.output.contains("killed by the spec: it melts"), "\(told.output)\(told.errors)")

        try shop.place.write("system.yaml", good.replacing("propagation", with: "propagatoin"))
        let refused = try await shop.reconcile("flag", "known", "kill", "--reason", "it melts", "-f", shop.spec)
        #expect(
            refused.status == 1 && refused.errors.contains("to kill known before that is mended, switch it off in"), "\(refused.errors)")
        try shop.end()
    }

    @Test func whatTheStoreRefusesIsNotSaidToBePinned() async throws {
        let shop = try await Shop("known: true")
        #expect(try await shop.reconcile("--once", "--adopt", "-f", shop.spec).status == 0)
        let refused = try await shop.reconcile("flag", "known", "green", "--now", "-f", shop.spec)
        #expect(refused.status == 1 && refused.output.contains("has no variant green"), "\(refused.output)\(refused.errors)")
        #expect(refused.output.contains("the spec was not changed either: it says on"), "\(refused.output)")
        #expect(!refused.output.contains("already"), "\(refused.output)")
        try shop.end()
    }

    @Test func whatWouldNotLoadIsNotAdvisedToBeCommitted() async throws {
        let shop = try await Shop("known: true")
        let spec = try shop.place.read("system.yaml").replacing("{flagd: {file: flags.json}}", with: "{sql: {database: main}}")
        try shop.place.write(
            "system.yaml", spec + "  databases: {main: {sqlite: {path: shop.db}, migrations: {path: migrations}, schema: none}}\n")
        let refused = try await shop.reconcile("flag", "known", "blue", "-f", shop.spec)
        #expect(refused.status == 1 && refused.output.contains("knows only on and off\n  so the change was not made"), "\(refused.output)")
        #expect(!refused.output.contains("commit this"), "\(refused.output)")
        try shop.end()
    }

    @Test func onAndOffChangeThePinAndNowTheStoreToo() async throws {
        let shop = try await Shop("known: true")
        #expect(try await shop.reconcile("--once", "-f", shop.spec).status == 0)
        let off = try await shop.reconcile("flag", "known", "off", "-f", shop.spec)
        #expect(off.status == 0 && off.output.contains("flag known: on → off"), "\(off.output)\(off.errors)")
        #expect(try shop.values.contains("known: false   # since May"))
        #expect(try shop.served == "on")
        let again = try await shop.reconcile("flag", "known", "off", "-f", shop.spec)
        #expect(again.status == 0 && again.output.contains("the spec says off already"), "\(again.output)")
        #expect(try await shop.reconcile("--once", "-f", shop.spec).status == 0)
        #expect(try shop.served == "off")

        let share = try await shop.reconcile("flag", "known", "on", "--rollout", "25", "--now", "-f", shop.spec)
        #expect(share.status == 0, "\(share.output)\(share.errors)")
        #expect(share.output.contains("known: on for 25 % in flagd/"), "\(share.output)")
        #expect(try shop.values.contains("rollout: 25"))
        let plan = try await shop.reconcile("plan", "-f", shop.spec)
        #expect(plan.status == 0, "the store and the new pin agree: \(plan.output)")

        let list = try await shop.reconcile("flag", "-f", shop.spec)
        #expect(list.status == 0 && list.output.contains("known  on for 25 %  on for 25 %  in sync"), "\(list.output)\(list.errors)")
        let all = try await shop.reconcile("flag", "known", "on", "--rollout", "100", "-f", shop.spec)
        #expect(all.status == 0 && all.output.contains("on for 25 % → on"), "\(all.output)")
        #expect(try !shop.values.contains("rollout"))
        try shop.end()
    }

    @Test func aFlagThatIsUnknownNamesTheOthers() async throws {
        let shop = try await Shop("known: true")
        let unknown = try await shop.reconcile("flag", "knwon", "on", "-f", shop.spec)
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("no flag is named knwon; did you mean \"known\"?; there are: known"), "\(unknown.errors)")
        let store = try await shop.reconcile("flag", "known", "kill", "-f", shop.spec)
        #expect(store.status == 0)
        try shop.place.write("flags.json", "{")
        let broken = try await shop.reconcile("flag", "known", "kill", "-f", shop.spec)
        #expect(broken.status == 1 && broken.output.contains("known: not set in flagd/"), "\(broken.output)\(broken.errors)")
        try shop.end()
    }

    @Test(
        arguments: [
            (["known", "off", "--rollout", "5"], "--rollout goes with on or a variant."),
            (["known", "on", "--rollout", "500"], "--rollout is a number of percent from 0 to 100."),
            (["known", "--now"], "Say what the flag is to be: on, off, kill, or a variant."),
            (["known", "on", "--break-glass", "--reason", "x"], "--break-glass goes with kill: only off is safe without the lock."),
            (["known", "kill", "--break-glass"], "--break-glass needs a --reason."),
            (["known", "light blue"], "VALUE is on, off, kill, or the name of a variant, which has no blanks: light blue"),
            (["known", "kill", "--dry-run"], "--dry-run shows a change of the spec; what acts at once has none."),
        ])
    func wrongWordsAreUsageErrors(arguments: [String], message: String) async throws {
        let ended = try await BuiltProgram("reconcile").run(["flag"] + arguments + ["-f", "system.yaml"])
        #expect(ended.status == 64 && ended.errors.contains(message), "\(ended.errors)")
    }

    @Test func itSaysWhatItDoes() async throws {
        let help = try await BuiltProgram("reconcile").run(["flag", "--help"])
        #expect(help.status == 0 && help.output.contains("kill acts at once") && help.output.contains("--break-glass"))
        let usage = try await BuiltProgram("reconcile").run(["flag", "known", "on"])
        #expect(usage.status == 64 && usage.errors.contains("-f PATH"))
    }
}
