import FoundationEssentials
import JSONValues
import TestPrograms
import Testing

/// Pins are changed in the file, and nothing else of it.
@Suite struct PinTests {
    @Test(arguments: [
        ("web", "v2", "release: 'v3' ", "release: 'v2' "), ("component/web", "1.10", "release: 'v3' ", "release: '1.10' "),
        ("api", "v9", "release: {commit: 3f2c1ab}", "release: v9"), ("api", "1.10", "release: {commit: 3f2c1ab}", "release: \"1.10\""),
        ("api", "commit=abcdef123", "release: {commit: 3f2c1ab}", "release: {commit: abcdef123}"),
        ("api", "revision=12", "release: {commit: 3f2c1ab}", "release: {revision: 12}"),
        ("main", "001_users", "schema: 002_orders", "schema: 001_users"), ("database/main", "3", "schema: 002_orders", "schema: 003_carts"),
        ("main", "none", "schema: 002_orders", "schema: none"),
    ])
    func onlyTheBytesOfThePinChange(_ resource: String, _ value: String, _ old: String, _ new: String) async throws {
        let repository = try await SpecRepository()
        let dry = try await repository.reconcile("pin", resource, value, "--dry-run")
        #expect(dry.status == 0, "\(dry.output)\(dry.errors)")
        #expect(dry.output.contains("nothing was written (--dry-run)"))
        #expect(try repository.text == SpecRepository.spec)
        let ended = try await repository.reconcile("pin", resource, value)
        #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
        #expect(try repository.text == SpecRepository.spec.replacing(old, with: new))
        #expect(
            ended.output.contains("\n-") && ended.output.contains("\n+") && ended.output.contains("+++ b/system.yaml"), "\(ended.output)")
        let again = try await repository.reconcile("pin", resource, value)
        #expect(again.status == 0 && again.output.contains("already; nothing was changed"), "\(again.output)")
        try repository.place.remove()
    }

    @Test(arguments: [
        (["pin", "wep", "v2"], 1, "no component or database is named wep; did you mean \"web\"?; there are:"),
        (["pin", "main", "004_none"], 1, "database/main: no migration is called 004_none"),
        (["pin", "web", "a b"], 1, "so the change was not made"), (["pin", "flag/x", "on"], 64, "reconcile flag x on|off"),
        (["pin", "web", "commit=xyz"], 64, "commit= takes 7 to 64 hexadecimal digits"), (["pin", "web", ""], 64, "VALUE is empty"),
        (["pin", "web", "v2", "--push"], 64, "--push publishes a commit: say --commit too"),
        (["pin", "web", "v2", "--commit", "--dry-run"], 64, "--dry-run changes nothing"), (["pin", "web"], 64, "<value>"),
    ])
    func aMistakeIsRefusedAndTheFileStays(_ arguments: [String], _ status: Int32, _ words: String) async throws {
        let repository = try await SpecRepository()
        let ended = try await BuiltProgram("reconcile").run(arguments + ["-f", repository.place.path("work/system.yaml")])
        #expect(ended.status == status, "\(ended.output)\(ended.errors)")
        #expect(ended.errors.contains(words), "\(ended.errors)")
        #expect(try repository.text == SpecRepository.spec)
        try repository.place.remove()
    }

    @Test func aLinkStaysALinkAndPermissionsStay() async throws {
        let repository = try await SpecRepository()
        let file = repository.place.path("work/system.yaml")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file)
        try FileManager.default.createSymbolicLink(atPath: repository.place.path("work/link.yaml"), withDestinationPath: "system.yaml")
        #expect(try await repository.reconcile("pin", "web", "v2", spec: "link.yaml").status == 0)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: repository.place.path("work/link.yaml")) == "system.yaml")
        #expect(try repository.text.contains("'v2'"))
        let permissions = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(permissions == 0o640)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: repository.place.path("work")).sorted() == [
                ".git", "link.yaml", "migrations", "system.yaml",
            ])
        try repository.place.remove()
    }

    @Test func jsonTellsWhatWasDone() async throws {
        let repository = try await SpecRepository()
        let ended = try await repository.reconcile("pin", "web", "v2", "--commit", "-o", "json")
        let json = try JSON(parsing: ended.output)
        #expect(json["kind"]?.string == "SpecChange" && json["isWritten"]?.bool == true)
        #expect(json["changes"]?[0]?["from"]?.string == "v3" && json["changes"]?[0]?["to"]?.string == "v2")
        #expect(json["changes"]?[0]?["paths"]?[0]?.string == "spec.components.web.release")
        let head = try await repository.git("rev-parse", "HEAD")
        #expect(json["commit"]?["id"]?.string.map { $0 + "\n" } == head)
        let refused = try await repository.reconcile("pin", "web", "v2", "--commit", "--push", "-o", "json")
        #expect(refused.status == 0, "nothing to change, nothing to push: \(refused.errors)")
        try repository.place.remove()
    }

    @Test func standardInputIsAnsweredWithTheNewText() async throws {
        let repository = try await SpecRepository()
        let file = repository.place.path("work/system.yaml")
        let ended = try await BuiltShell.run("\(BuiltShell.reconcile) pin web v2 -f - < '\(file)'")
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(ended.output == SpecRepository.spec.replacing("'v3'", with: "'v2'"))
        #expect(try repository.text == SpecRepository.spec)
        try repository.place.remove()
    }
}
