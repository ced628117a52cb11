import FoundationEssentials
import TestPrograms
import Testing

/// A repository with a spec whose components are local files, so that nothing but the spec is asked; and its remote.
struct SpecRepository {
    let place: Place

    struct Failure: Error { var text: String }

    static let spec = """
        # The shop's pins.
        apiVersion: belay.dev/v1alpha1
        kind: System
        metadata: {name: shop}
        spec:
          components:
            web:
              vercel: {project: shop-web, team: acme}
              release: 'v3'   # pinned by ann
              env: {API_URL: https://api.example.com}
            api:
              # why: see #12
              kubernetes: {namespace: prod, deployment: backend, container: api}
              release: {commit: 3f2c1ab}
          databases:
            main:
              sqlite: {path: shop.db}
              migrations: {path: migrations}
              schema: 002_orders

        """

    init(_ spec: String = Self.spec) async throws {
        place = try Place()
        try place.write("work/system.yaml", spec)
        for (name, table) in [("001_users", "users"), ("002_orders", "orders"), ("003_carts", "carts")] {
            try place.write(
                "work/migrations/\(name).sql",
                "-- migrate:up\nCREATE TABLE \(table) (id INTEGER);\n\n-- migrate:down\nDROP TABLE \(table);\n")
        }
        try await git("init", "-q", "-b", "main")
        try await git("add", ".")
        try await git("commit", "-q", "-m", "first")
    }

    /// Gives the repository a bare remote and publishes `main` there.
    func publish() async throws {
        try await place.git("init", "-q", "--bare", "-b", "main", "remote.git")
        try await git("remote", "add", "origin", place.path("remote.git"))
        try await git("push", "-q", "--set-upstream", "origin", "main")
    }

    /// Somebody else pushes a commit to the remote.
    func pushFromElsewhere() async throws {
        try await place.git("clone", "-q", place.path("remote.git"), "other")
        try place.write("other/more.txt", "more\n")
        try await place.git("-C", place.path("other"), "add", ".")
        try await place.git("-C", place.path("other"), "commit", "-q", "-m", "from elsewhere")
        try await place.git("-C", place.path("other"), "push", "-q")
    }

    @discardableResult func git(_ arguments: String...) async throws -> String {
        let ended = try await BuiltProgram(onSearchPath: "git").run(arguments, variables: Self.variables, in: place.path("work"))
        guard ended.status == 0 else { throw Failure(text: "git \(arguments): \(ended.errors)") }
        return ended.output
    }

    func reconcile(_ arguments: String..., spec: String = "system.yaml") async throws -> BuiltProgram.Ended {
        try await BuiltProgram("reconcile").run(arguments + ["-f", spec], variables: Self.variables, in: place.path("work"))
    }

    var text: String { get throws { try place.read("work/system.yaml") } }

    private static let variables: [String: String?] = [
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "ann", "GIT_AUTHOR_EMAIL": "ann@example.com",
        "GIT_COMMITTER_NAME": "ann", "GIT_COMMITTER_EMAIL": "ann@example.com", "XDG_STATE_HOME": "/nonexistent/state",
    ]
}
