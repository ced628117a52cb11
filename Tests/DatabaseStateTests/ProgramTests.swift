import DatabaseServers
import FoundationEssentials
import Model
import SQL
import State
import StateContract
import TestPrograms
import Testing

@testable import DatabaseState

/// Two places without any state of their own share one, through the program: a laptop and a CI job.
@Suite(.timeLimit(.minutes(5))) struct ProgramTests {
    enum Engine: String, CaseIterable { case sqlite, postgres, pooled }

    static let engines: [Engine] = PostgresServer.isPoolerAvailable ? Engine.allCases : [.sqlite]

    /// A spec, a database, and what the program needs to reach it.
    private struct Bench {
        let place: Place
        let stand: Stand
        var variables: [String: String?] = [:]
        private let database: String

        init(_ engine: Engine) async throws {
            place = try Place()
            switch engine {
            case .sqlite: stand = try Stand.sqlite()
            case .postgres: stand = try await Stand.postgres()
            case .pooled: stand = try await Stand.pooled()
            }
            if engine == .sqlite {
                database = "sqlite: {path: \(stand.path)}"
            } else {
                let direct = engine == .pooled ? ", directUrl: {fromEnv: DIRECT_URL}" : ""
                database = "postgres: {url: {fromEnv: DATABASE_URL}\(direct)}"
                variables["DIRECT_URL"] = try await PostgresServer.shared.url(of: stand.name)
            }
            variables.merge(
                ["DATABASE_URL": stand.url, "HOME": nil, "XDG_STATE_HOME": nil, "BELAY_KEY": nil, "CI": "true"] as [String: String?]
            ) { $1 }
            try place.write(
                "migrations/1_orders.sql", "-- +migrate Up\nCREATE TABLE orders (id int);\n-- +migrate Down\nDROP TABLE orders;\n")
            try place.write(
                "migrations/2_more.sql",
                "-- +migrate Up\nALTER TABLE orders ADD COLUMN more text;\n-- +migrate Down\nALTER TABLE orders DROP COLUMN more;\n")
            try place.write("ci/note", "")
            try place.write("pod/note", "")
            try write(value: "1")
        }

        func write(value: String, schema: String = "1_orders", state: String = "{database: main}") throws {
            try place.write(
                "system.yaml",
                """
                apiVersion: belay.dev/v1alpha1
                kind: System
                metadata: {name: shop}
                spec:
                  state: \(state)
                  components: {local: {envFile: {path: .env}, env: {A: "\(value)"}}}
                  databases:
                    main: {\(database), migrations: {path: migrations}, schema: \(schema)}
                """)
        }

        func reconcile(in folder: String, _ arguments: String...) async throws -> BuiltProgram.Ended {
            try await BuiltProgram("reconcile").run(arguments + ["-f", "../system.yaml"], variables: variables, in: place.path(folder))
        }

        func crash(_ point: String) async throws -> BuiltProgram.Ended {
            try await BuiltProgram("crash-subject").run(
                [place.path("system.yaml"), "spec", "1", point], variables: variables, in: place.root)
        }
    }

    @Test(arguments: engines) func aLaptopAndACIJobShareOneState(_ engine: Engine) async throws {
        let bench = try await Bench(engine)
        let plan = try await bench.reconcile(in: "ci", "plan")
        #expect(plan.status == 3 && plan.output.contains("has no record of this system"), "\(plan.output)\(plan.errors)")
        #expect(!(plan.output + plan.errors).contains("postgres://"), "no address is told")
        if engine == .sqlite { #expect(!FileManager.default.fileExists(atPath: bench.stand.path), "planning made nothing") }

        let first = try await bench.reconcile(in: "ci", "--once", "--adopt")
        #expect(first.status == 0, "\(first.output)\(first.errors)")
        #expect(!first.errors.contains("its state is kept where it may not outlive the job"))
        #expect(try await bench.reconcile(in: "pod", "plan").status == 0, "the other one knows it")

        try bench.write(value: "2", schema: "2_more")
        let second = try await bench.reconcile(in: "pod", "--once")
        #expect(second.status == 0, "it needs no adoption: \(second.output)\(second.errors)")
        try bench.write(value: "1")
        let back = try await bench.reconcile(in: "ci", "plan", "-o", "json")
        #expect(back.output.contains("\"migrate") || back.output.contains("2_more"), "\(back.output)")

        for folder in ["ci", "pod"] {
            #expect(try FileManager.default.contentsOfDirectory(atPath: bench.place.path(folder)) == ["note"], "nothing is left behind")
        }
        let table = engine == .sqlite ? "_belay_state_journal" : "belay.state_journal"
        #expect(try await bench.stand.ask("SELECT count(*) FROM \(table) WHERE line LIKE '%kind\":\"intent%'") != "0")
        try bench.place.remove()
    }

    @Test func aDirectoryThatIsGivenGoesBeforeTheSpecAndThatIsTold() async throws {
        let bench = try await Bench(.sqlite)
        let plan = try await bench.reconcile(in: "ci", "plan", "--state", "mine")
        #expect(
            plan.errors.contains(
                "note: default/shop: its state is read and written in mine, not in database/main as the spec says: --state\n"))
        let once = try await bench.reconcile(in: "ci", "--once", "--adopt", "--state", "mine")
        #expect(once.status == 0, "\(once.output)\(once.errors)")
        #expect(FileManager.default.fileExists(atPath: bench.place.path("ci/mine/default.shop/journal.jsonl")))
        #expect(try await bench.stand.ask("SELECT count(*) FROM sqlite_schema WHERE name = '_belay_state_journal'") == "0")
        try bench.place.remove()
    }

    @Test func aDatabaseThatDoesNotAnswerStopsEverythingBeforeItBegins() async throws {
        var bench = try await Bench(PostgresServer.isAvailable ? .postgres : .sqlite)
        bench.variables["DATABASE_URL"] = "postgres://ann:hunter2-hunter2@127.0.0.1:1/main"
        for arguments in [["plan"], ["--once"], ["status"]] {
            let ended = try await BuiltProgram("reconcile").run(
                arguments + ["-f", "../system.yaml"], variables: bench.variables, in: bench.place.path("ci"))
            let text = ended.output + ended.errors
            #expect(ended.status == 1, "\(text)")
            #expect(text.contains("the state in database/main cannot be"), "\(text)")
            #expect(text.contains("check that it runs and that its address is right"), "\(text)")
            #expect(!text.contains("hunter2"))
        }
        #expect(!FileManager.default.fileExists(atPath: bench.place.path(".env")))
        try bench.place.remove()
    }

    @Test(arguments: engines) func aLivingHolderIsNamedToAnotherProcess(_ engine: Engine) async throws {
        let bench = try await Bench(engine)
        #expect(try await bench.reconcile(in: "ci", "--once", "--adopt").status == 0)
        let store = bench.stand.store()
        try await store.withLock(.make(), clock: ContinuousClock()) { _ in
            let refused = try await bench.reconcile(in: "pod", "--once")
            let text = refused.output + refused.errors
            #expect(refused.status == 3, "\(text)")
            #expect(
                text.contains("the state in database/main is locked by ann@build-7, process 4711 (reconcile --once), since "), "\(text)")
            let status = try await bench.reconcile(in: "pod", "status")
            #expect(status.output.contains("ann@build-7"), "\(status.output)")
        }
        #expect(try await bench.reconcile(in: "pod", "--once").status == 0)
        try bench.place.remove()
    }

    /// The process is really killed; the one after it waits for the lease and goes on as if nothing had happened.
    @Test(arguments: engines.filter { $0 != .pooled }) func killedAtAnyEntryTheNextOneEndsTheSame(_ engine: Engine) async throws {
        var point = 1
        var isKilled = true
        while isKilled {
            let bench = try await Bench(engine)
            isKilled = false
            for boundary in ["journal-before", "journal-after"] {
                let killed = try await bench.crash("\(boundary):\(point)")
                isKilled = isKilled || killed.status == 128 + 9
                #expect(killed.status == 128 + 9 || killed.status == 0, "\(boundary):\(point): \(killed.output)\(killed.errors)")
            }
            var last = try await bench.crash("none")
            for _ in 0..<3 where last.status != 0 { last = try await bench.crash("none") }
            #expect(last.status == 0, "after \(point): \(last.output)\(last.errors)")
            #expect(try bench.place.read(".env") == "A=1\n")
            #expect(try await bench.stand.ask("SELECT count(*) FROM orders") == "0", "its table is there")
            let history = try await bench.stand.store().history()
            #expect(history.map(\.sequence) == Array(1...history.count))
            try bench.place.remove()
            point += 1
        }
        #expect(point > 4, "a pass goes through more entries than that")
    }
}
