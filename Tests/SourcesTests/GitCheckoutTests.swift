import FoundationEssentials
import Model
import Sources
import SpecLoading
import TestPrograms
import Testing

/// What of a repository is brought here, and what counts as a change of it.
@Suite(.timeLimit(.minutes(3))) struct GitCheckoutTests {
    /// The spec `prod/system.yaml` reads what its lines name, relative to its own directory.
    private static let reading: FilesRead = { files in
        files.flatMap { file in
            let folder = file.name[..<(file.name.lastIndex(of: "/") ?? file.name.startIndex)]
            return String(decoding: file.bytes, as: UTF8.self).split(separator: "\n").map {
                $0.hasPrefix("/") ? String($0) : "\(folder)/\($0)"
            }
        }
    }

    private func files(_ snapshot: Snapshot) throws -> [String] {
        let root = try #require(snapshot.checkout).path
        return try FileManager.default.subpathsOfDirectory(atPath: root).filter { path in
            var isDirectory = false
            return FileManager.default.fileExists(atPath: "\(root)/\(path)", isDirectory: &isDirectory) && !isDirectory && path != ".git"
        }.sorted()
    }

    @Test(arguments: [
        (["prod"], "../db/migrations\n", ["db/migrations/1.sql", "prod/system.yaml"], "a path, and what its specs read beside it"),
        (["prod"], "", ["prod/system.yaml"], "nothing else"),
        (["prod/system.yaml", "stage"], "", ["prod/system.yaml", "stage/system.yaml"], "a file and a directory"),
        (["prod"], "../nowhere\n/etc/hostname\n", ["prod/system.yaml"], "what is not there, or not of the repository"),
        (["prod"], "../a [b] #c!\n", ["a [b] #c!", "prod/system.yaml"], "a name that would be a pattern"),
        ([], "", ["a [b] #c!", "db/migrations/1.sql", "other/big", "prod/system.yaml", "stage/system.yaml"], "all of it"),
    ])
    func onlyWhatIsWantedIsBroughtHere(paths: [String], spec: String, wanted: [String], why: String) async throws {
        try await GitRepository.with { repository in
            for path in ["db/migrations/1.sql", "other/big", "a [b] #c!", "stage/system.yaml"] {
                try repository.place.write("work/\(path)", path)
            }
            try await repository.push(spec, to: "prod/system.yaml")
            let address = try GitAddress(repository.url, paths: paths)
            func source() -> GitSource { GitSource(address, under: repository.place.path("state"), filesRead: Self.reading) }
            let snapshot = try await source().snapshot()
            #expect(try files(snapshot) == wanted, "\(why)")
            let missing = try await BuiltProgram(onSearchPath: "git").run(
                ["-C", try #require(snapshot.checkout).path, "rev-list", "--objects", "--missing=print", "--no-object-names", "HEAD"])
            let count = missing.output.split(separator: "\n").filter { $0.hasPrefix("?") }.count
            #expect(count == 5 - wanted.count, "\(why): no other contents were fetched")
        }
    }

    @Test func linksBringTheWholeTree() async throws {
        try await GitRepository.with { repository in
            try repository.place.write("work/base/values.yaml", "1")
            try FileManager.default.createDirectory(atPath: repository.place.path("work/prod"), withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: repository.place.path("work/prod/values.yaml"), withDestinationPath: "../base/values.yaml")
            try await repository.push("", to: "prod/system.yaml")
            let snapshot = try await repository.source("prod", url: repository.url).snapshot()
            #expect(snapshot.files.map { snapshot.plain($0.name) } == ["prod/system.yaml", "prod/values.yaml"])
        }
    }

    @Test func aCheckoutOfAnEarlierProcessIsUsedIfNobodyTouchedIt() async throws {
        try await GitRepository.with { repository in
            try await repository.push("one", to: "prod/system.yaml")
            do { _ = try await repository.source("prod").snapshot() }
            let path = try #require(try repository.stateFiles("prod/system.yaml").first)
            try Data("two".utf8).write(to: URL(filePath: path))
            let snapshot = try await repository.source("prod").snapshot()
            #expect(snapshot.files.map { String(decoding: $0.bytes, as: UTF8.self) } == ["one"])
        }
    }

    @Test func whatSpecsReadBesideThemIsPartOfTheSnapshot() async throws {
        try await GitRepository.with { repository in
            try repository.place.write("work/db/migrations/1.sql", "one")
            try await repository.push("../db/migrations\n../values\n", to: "prod/system.yaml")
            let source = try repository.source("prod", url: repository.url, reading: Self.reading)
            let first = try await source.snapshot()
            let paths = first.beside.keys.sorted()
            #expect(paths.map(first.plain) == ["prod/../db/migrations", "prod/../values"])
            #expect(first.beside[paths[1]] == "missing")

            try await repository.push("unrelated", to: "README.md")
            let second = try await source.snapshot()
            let again = second.beside.keys.sorted()
            #expect(second.holds(beside: again, as: first, paths), "another commit, and the same beside it")

            try await repository.push("two", to: "db/migrations/2.sql")
            let third = try await source.snapshot()
            let more = third.beside.keys.sorted()
            #expect(!third.holds(beside: more, as: second, again))
            #expect(third.holds(beside: [more[1]], as: second, [again[1]]))
            #expect(try files(third) == ["db/migrations/1.sql", "db/migrations/2.sql", "prod/system.yaml"])
        }
    }
}
