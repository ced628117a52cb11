import ControlPlane
import DatabaseServers
import FoundationEssentials
import JSONValues
import TestPrograms
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A System object with a database whose migrations are in a repository, on a real API server, with a real PostgreSQL.
@Suite(
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.need)),
    .enabled(if: Kubectl.path != nil, "needs kubectl: .ci/setup test"),
    .enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), .serialized, .timeLimit(.minutes(3)))
struct ClusterMigrationsTests {
    /// What one test works with.
    private struct Shop: Sendable {
        var kubectl: Kubectl
        var place: Place
        var database: String
        var address: String

        func object(schema: String, token: String = "") -> String {
            """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata: {name: shop, annotations: {belay.dev/adopt: "true"}}
            spec:
              databases:
                main:
                  postgres: {url: {fromSecret: {name: database, key: url}}}
                  migrations:
                    git: {url: "\(address)/db.git", ref: main, path: db/migrations\(token)}
                  schema: \(schema)
            """
        }

        static let token = ", token: {fromSecret: {name: git, key: token}}"

        @discardableResult func push(_ name: String, _ table: String) async throws -> String {
            try place.write(
                "work/db/migrations/\(name).sql",
                "-- migrate:up\nCREATE TABLE \(table) (id integer);\n\n-- migrate:down\nDROP TABLE \(table);\n")
            try await place.git("-C", "work", "add", ".")
            try await place.git("-C", "work", "commit", "-q", "-m", name)
            try await place.git("-C", "work", "push", "-q", place.path("db.git"), "HEAD:main")
            return try await place.git("-C", "work", "rev-parse", "HEAD")
        }

        func tables() async throws -> [String] {
            let text = try await PostgresServer.shared.psql(
                "SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables WHERE schemaname = 'public'", database: database)
            return text.split(whereSeparator: \.isWhitespace).map(String.init).filter { $0 != "schema_migrations" }
        }

        func shows(_ words: String) async throws {
            let row = #"custom-columns=P:.status.pins,H:.status.phase,R:.status.conditions[?(@.type=="Ready")].status,G:.status.revision"#
            try await kubectl.until(words) {
                let shown = try await kubectl("get", "systems", "shop", "--no-headers", "-o", row)
                return shown.split(whereSeparator: \.isWhitespace).joined(separator: " ") == words
            }
        }

        func status(_ path: String) async throws -> String { try await kubectl("get", "system/shop", "-o", "jsonpath={.status\(path)}") }
    }

    private static func with(_ body: @Sendable (SandboxedSystem, Shop, [String: String?]) async throws -> Void) async throws {
        let plane = try await ControlPlane.shared.running()
        try await SandboxedSystem.with(git: false) { system in
            let place = system.place
            let kubectl = Kubectl(kubeconfig: plane.kubeconfig, namespace: "db-\(UInt32.random(in: 0 ... .max))", place: place)
            try await kubectl.installSystems()
            let database = try await PostgresServer.shared.makeDatabase()
            let url = try await PostgresServer.shared.url(of: database)
            try await kubectl("create", "secret", "generic", "database", "--from-literal=url=\(url)")
            try await kubectl("create", "secret", "generic", "git", "--from-literal=token=\(GitServer.token)")
            try await place.git("init", "-q", "--bare", "-b", "main", "db.git")
            try await place.git("-C", "db.git", "config", "uploadpack.allowFilter", "true")
            try await place.git("init", "-q", "-b", "main", "work")
            try await GitServer.serving(place, certificate: place.path("authority.pem")) { address in
                let shop = Shop(kubectl: kubectl, place: place, database: database, address: address)
                try await shop.push("001_a", "a")
                try await shop.push("002_b", "b")
                try await body(system, shop, ["KUBECONFIG": plane.kubeconfig, "GIT_SSL_CAINFO": place.path("authority.pem")])
            }
        }
    }

    @Test func thePinOfASchemaIsPatchedAndTheRepositoryMoves() async throws {
        try await Self.with { system, shop, variables in
            let kubectl = shop.kubectl
            let arguments = ["--cluster", "--namespace", kubectl.namespace, "--poll", "1s", "-o", "json"]
            let ended = try await system.reconcile(arguments, by: .terminate, variables: variables) {
                try await kubectl.apply(shop.object(schema: "002_b", token: Shop.token))
                try await shop.shows("1/1 InSync True 1")
                #expect(try await shop.tables() == ["a", "b"])
                let commit = try await shop.place.git("-C", "work", "rev-parse", "HEAD")
                #expect(try await shop.status(".resources[0].commit") == commit)
                #expect(try await shop.status(".resources[0].source") == "\(shop.address)/db.git#main:db/migrations")

                try await kubectl(
                    "patch", "system", "shop", "--type", "merge", "-p", #"{"spec":{"databases":{"main":{"schema":"001_a"}}}}"#)
                try await shop.shows("1/1 InSync True 2")
                #expect(try await shop.tables() == ["a"], "the way back was taken")
                #expect(try await shop.status(".resources[0].live") == "001_a")
                let reasons = try await kubectl("get", "events", "-o", #"jsonpath={.items[?(@.involvedObject.kind=="System")].reason}"#)
                #expect(Set(reasons.split(separator: " ")).isSuperset(of: ["MigrateUp", "MigrateDown", "Converged"]), "\(reasons)")

                try await kubectl(
                    "patch", "system", "shop", "--type", "merge", "-p", #"{"spec":{"databases":{"main":{"schema":"003_c"}}}}"#)
                try await kubectl.until("the migration is missing") {
                    try await shop.status(".resources[0].difference").contains("003_c")
                }
                let moved = try await shop.push("003_c", "c")
                try await shop.shows("1/1 InSync True 3")
                #expect(try await shop.tables() == ["a", "b", "c"], "the commit woke the system")
                #expect(try await shop.status(".resources[0].commit") == moved)

                rename(shop.place.path("db.git"), shop.place.path("away.git"))
                let stale = #".conditions[?(@.type=="MigrationsStale")]"#
                try await kubectl.until("the host is away") { try await shop.status("\(stale).status") == "True" }
                #expect(try await shop.status("\(stale).message").contains("Commit \(moved.prefix(12)), the last that was read, is kept"))
                try await shop.shows("1/1 InSync True 3")
                rename(shop.place.path("away.git"), shop.place.path("db.git"))
                try await kubectl.until("it answers again") { try await shop.status("\(stale).status") == "False" }
            }
            #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
            for text in [ended.output, ended.errors] + (try system.stateFiles().map(\.text)) {
                #expect(!text.contains(GitServer.token), "the token is nowhere to be seen")
            }
        }
    }

    @Test func theOperatorsTokenIsShownToNoHostThatItDoesNotShareItWith() async throws {
        try await Self.with { system, shop, variables in
            let variables = variables.merging(["BELAY_GIT_TOKEN": GitServer.token]) { $1 }
            try await shop.kubectl.apply(shop.object(schema: "001_a"))
            let arguments = ["--once", "--cluster", "--namespace", shop.kubectl.namespace, "--timeout", "5s"]
            let refused = try await system.reconcile(arguments, variables: variables)
            #expect(refused.status == 1 || refused.status == 3, "\(refused.output)\(refused.errors)")
            #expect((refused.output + refused.errors).contains("set migrations.git.token"), "\(refused.output)\(refused.errors)")
            #expect(try await shop.tables() == [])
            let host = shop.address.replacing("https://", with: "")
            let shared = try await system.reconcile(arguments + ["--share-git-credentials", host], variables: variables)
            #expect(shared.status == 0, "\(shared.output)\(shared.errors)")
            #expect(try await shop.tables() == ["a"])
        }
    }
}
