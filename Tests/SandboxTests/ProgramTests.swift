import CurlTransport
import FoundationEssentials
import HTTPCore
import JSONValues
import Subprocess
import Testing

@Suite(.timeLimit(.minutes(1))) struct ProgramTests {
    static let world = """
        apiVersion: sandbox.belay.dev/v1alpha1
        kind: World
        vercel:
          projects:
            - name: web
              deployments: [{id: dpl_1, target: production}]

        """

    static let exitCodes: [(why: String, command: [String], status: TerminationStatus)] = [
        ("the command succeeds", ["true"], .exited(0)),
        ("its code is passed on", ["sh", "-c", "exit 7"], .exited(7)),
        ("a signal ends it: as a shell reports it", ["sh", "-c", "kill -9 $$"], .exited(137)),
        ("there is no such program", ["belay-no-such-program"], .exited(127)),
        ("there is no such file", ["./belay-no-such-program"], .exited(127)),
    ]

    @Test(arguments: exitCodes) func theCommandsExitCodeIsTheSandboxs(
        why: String, command: [String], status: TerminationStatus
    ) async throws {
        #expect(try await Program().run(["--"] + command).status == status)
    }

    @Test func aCommandFindsTheVendorsInItsEnvironment() async throws {
        let place = try Place()
        let world = try place.write("world.yaml", Self.world)
        let ended = try await Program().run([
            "--world", world, "--", "sh", "-c",
            #"curl -sS -H "Authorization: Bearer $VERCEL_TOKEN" "$VERCEL_API_URL/v9/projects/web"; echo; echo "$1" >&2"#, "sh",
            "an argument",
        ])
        #expect(ended.status == .exited(0))
        #expect(try JSON(parsing: ended.output)["name"]?.string == "web")
        #expect(ended.errors == "an argument\n")
        try place.remove()
    }

    @Test func aProxyIsNotAskedForTheSandbox() async throws {
        let ended = try await Program().run(
            ["--", "sh", "-c", #"curl -sS -o /dev/null "$VERCEL_API_URL/_sandbox/world" && echo "$no_proxy""#],
            with: ["http_proxy": "http://127.0.0.1:9", "no_proxy": "example.com"])
        #expect(ended.status == .exited(0), "\(ended.errors)")
        #expect(ended.output == "example.com,127.0.0.1\n")
    }

    @Test func withoutACommandItServesUntilSIGTERM() async throws {
        let place = try Place()
        let world = try place.write("world.yaml", Self.world)
        let faults = try place.write(
            "faults.yaml", "apiVersion: sandbox.belay.dev/v1alpha1\nkind: Faults\nfaults: [{path: teapot, status: 418}]\n")
        let envFile = try place.write("sandbox.env", "export VERCEL_API_URL=http://127.0.0.1:1\n")
        let (status, after) = try await Program().serve(
            ["--world", world, "--faults", faults, "--env-file", envFile, "--speed", "10"], until: .terminate
        ) { variables in
            let url = try #require(variables["VERCEL_API_URL"])
            let token = try #require(variables["VERCEL_TOKEN"])
            let written = String(decoding: try Data(contentsOf: URL(filePath: envFile)), as: UTF8.self)
            #expect(
                written == variables.sorted(by: { $0.key < $1.key }).map { "export \($0.key)=\($0.value)\n" }.joined().sortedLike(written))
            let mode = try FileManager.default.attributesOfItem(atPath: envFile)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let transport = CurlTransport()
            #expect(try await transport.send(HTTPRequest(.get, url + "/teapot")).status == 418)
            #expect(try await transport.send(HTTPRequest(.get, url + "/v9/projects/web")).status == 403)
            let requests = try await transport.send(HTTPRequest(.get, url + "/_sandbox/requests"))
            #expect(try JSON(parsing: requests.body)["requests"]?.elements.count == 2)
            let worldNow = try await transport.send(HTTPRequest(.get, url + "/_sandbox/world"))
            #expect(try JSON(parsing: worldNow.body)["vercel"]?["projects"]?[0]?["name"]?.string == "web")
            #expect(!worldNow.text.contains(token) && !requests.text.contains(token))
        }
        #expect(status == .exited(0))
        #expect(after < .seconds(10), "the command is not waited for until it is killed")
        #expect(!FileManager.default.fileExists(atPath: envFile))
        try place.remove()
    }

    @Test func signalsReachTheCommand() async throws {
        let (status, after) = try await Program().serve(
            ["--", "sh", "-c", "trap 'exit 5' TERM; echo 'The sandbox answers its command'; while :; do sleep 0.01; done"],
            until: .terminate
        ) { _ in }
        #expect(status == .exited(5))
        #expect(after < .seconds(10), "the command is not waited for until it is killed")
    }

    @Test func everyMistakeOfBothFilesIsTold() async throws {
        let place = try Place()
        let world = try place.write(
            "world.yaml",
            """
            apiVersion: sandbox.belay.dev/v1alpha1
            kind: World
            vercl: {}
            vercel: []
            vercel: {}

            """)
        let faults = try place.write(
            "faults.yaml",
            """
            apiVersion: sandbox.belay.dev/v1
            kind: Faults
            faults:
              - {methd: POST, status: 503}
              - {status: 42, drop: beforeEffect}
              - {simulator: vercel}
              - {delay: 5, times: 0}

            """)
        let ended = try await Program().run(["--world", world, "--faults", faults, "--", "true"])
        #expect(ended.status == .exited(1))
        #expect(
            ended.errors == """
                \(world):3:1: unknown field "vercl"; known are apiVersion, kind, vercel, fly, render, kubernetes
                \(world):4:9: vercel: expected a mapping, found a list
                \(world):5:1: the key "vercel" stands here for the second time; the first is at line 4, column 1
                \(faults):1:13: apiVersion: expected one of sandbox.belay.dev/v1alpha1
                \(faults):4:6: faults[0]: unknown field "methd"; did you mean "method"?
                \(faults):5:14: faults[1].status: expected a whole number from 200 to 599
                \(faults):5:18: faults[1]: names a fault twice: status at line 5, and drop; keep one
                \(faults):6:5: faults[2]: does not name a fault; add one of status, drop, answer, delay
                \(faults):7:13: faults[3].delay: expected a duration such as 500ms, 30s, 2m or 1h30m; a number needs its unit
                \(faults):7:23: faults[3].times: expected a whole number of at least 1, or all

                """)
        try place.remove()
    }

    @Test func aMistakeInsideAVendorsSectionHasItsPlace() async throws {
        let place = try Place()
        let world = try place.write("world.yaml", Self.world.replacing("name: web", with: "nam: web"))
        let ended = try await Program().run(["--world", world, "--", "true"])
        #expect(ended.status == .exited(1))
        #expect(ended.errors.hasPrefix("\(world):5:"))
        #expect(ended.errors.contains("vercel.projects[0].nam"))
        try place.remove()
    }

    static let usage: [(why: String, arguments: [String], status: TerminationStatus, says: String)] = [
        ("a misspelt option", ["--wrld", "x"], .exited(64), "Did you mean '--world'?"),
        ("time cannot stand still", ["--speed", "0"], .exited(64), "--speed is a number above 0"),
        ("a command without --", ["true"], .exited(64), "Unexpected argument 'true'"),
        (
            "no such world file", ["--world", "/nonexistent.yaml"], .exited(1),
            "/nonexistent.yaml: cannot be read: No such file or directory"
        ),
        ("a folder is no file", ["--faults", "/"], .exited(1), "/: cannot be read: Is a directory"),
    ]

    @Test(arguments: usage) func mistakesOnTheCommandLineSayWhatToDo(
        why: String, arguments: [String], status: TerminationStatus, says: String
    ) async throws {
        let ended = try await Program().run(arguments)
        #expect(ended.status == status)
        #expect(ended.errors.contains(says), "\(ended.errors)")
        #expect(ended.output.isEmpty)
    }

    @Test func helpTeachesWithAnExample() async throws {
        let ended = try await Program().run(["--help"])
        #expect(ended.status == .exited(0))
        #expect(ended.output.contains("belay-sandbox --world world.yaml -- reconcile plan -f system.yaml"))
        #expect(ended.output.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }
}

extension String {
    /// The same lines in the order in which they stand in another text.
    fileprivate func sortedLike(_ other: String) -> String {
        let places = Dictionary(other.split(separator: "\n").enumerated().map { ($1, $0) }) { first, _ in first }
        return split(separator: "\n").sorted { places[$0] ?? 0 < places[$1] ?? 0 }.joined(separator: "\n") + "\n"
    }
}
