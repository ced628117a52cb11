import FoundationEssentials
import Model
import Sources
import SpecLoading
import TestPrograms
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// With the real kernel. What is waited for comes in a tenth of a second; the limits are there for a machine that is busy.
@Suite(.timeLimit(.minutes(2)), .serialized) struct WatchedPathsTests {
    private func with(_ body: (Place) async throws -> Void) async throws {
        let place = try Place()
        do { try await body(place) } catch {
            try place.remove()
            throw error
        }
        try place.remove()
    }

    private func watch(_ paths: String...) async throws -> WatchedPaths {
        try await WatchedPaths(paths, rereading: .seconds(3600), clock: ContinuousClock())
    }

    /// Whether a change is told within five seconds.
    private func isTold(_ source: WatchedPaths) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do { try await source.change() } catch { return false }
                return true
            }
            group.addTask {
                do { try await Task.sleep(for: .seconds(5)) } catch {}
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            return first
        }
    }

    private func text(_ source: WatchedPaths) async throws -> [String] {
        try await source.snapshot().files.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    @Test(arguments: [
        ("a file in its place", "specs/system.yaml"), ("a directory that holds it", "specs"), ("the directory above", ""),
    ])
    func whatAnEditorWritesOrRenamesIntoPlaceIsSeen(why: String, path: String) async throws {
        try await with { place in
            try place.write("specs/system.yaml", "one")
            let source = try await watch(path.isEmpty ? place.root : place.path(path))
            try place.write("specs/.system.yaml.swp", "two")
            _ = rename(place.path("specs/.system.yaml.swp"), place.path("specs/system.yaml"))
            #expect(await isTold(source), "renamed into place: \(why)")
            #expect(try await text(source) == ["two"])
            let handle = fopen(place.path("specs/system.yaml"), "w")
            fputs("three", handle)
            fclose(handle)
            #expect(await isTold(source), "written in place: \(why)")
            #expect(try await text(source) == ["three"])
        }
    }

    @Test func aMountedConfigMapIsSeenToSwapItsLink() async throws {
        try await with { place in
            try place.write("..2026_1/system.yaml", "one")
            try FileManager.default.createSymbolicLink(atPath: place.path("..data"), withDestinationPath: "..2026_1")
            try FileManager.default.createSymbolicLink(atPath: place.path("system.yaml"), withDestinationPath: "..data/system.yaml")
            let (tree, file) = (try await watch(place.root), try await watch(place.path("system.yaml")))
            for (number, text) in [(2, "two"), (3, "three")] {
                try place.write("..2026_\(number)/system.yaml", text)
                try FileManager.default.createSymbolicLink(atPath: place.path("..data_tmp"), withDestinationPath: "..2026_\(number)")
                _ = rename(place.path("..data_tmp"), place.path("..data"))
                try FileManager.default.removeItem(atPath: place.path("..2026_\(number - 1)"))
                #expect(await isTold(tree))
                #expect(await isTold(file))
                #expect(try await self.text(tree) == [text])
                #expect(try await self.text(file) == [text])
            }
        }
    }

    @Test func aNewDirectoryIsWatchedAsWell() async throws {
        try await with { place in
            try place.write("specs/a.yaml", "a")
            let source = try await watch(place.path("specs"))
            try place.write("specs/deep/er/b.yaml", "b")
            #expect(await isTold(source))
            #expect(try await text(source) == ["a", "b"])
            try place.write("specs/deep/er/b.yaml", "c")
            #expect(await isTold(source))
            #expect(try await text(source) == ["a", "c"])
            try FileManager.default.removeItem(atPath: place.path("specs/deep"))
            #expect(await isTold(source))
            #expect(try await text(source) == ["a"])
        }
    }

    @Test func aDirectoryThatIsSwappedForAnotherIsSeen() async throws {
        try await with { place in
            try place.write("specs/a.yaml", "one")
            let source = try await watch(place.path("specs"))
            try place.write("new/a.yaml", "two")
            _ = rename(place.path("specs"), place.path("old"))
            _ = rename(place.path("new"), place.path("specs"))
            #expect(await isTold(source))
            #expect(try await text(source) == ["two"])
            try place.write("specs/a.yaml", "three")
            #expect(await isTold(source), "and the new one is watched")
        }
    }

    @Test func aCommitIsAChangeThoughNoFileIs() async throws {
        try await with { place in
            try await place.git("init", "-q", "-b", "main")
            try place.write("system.yaml", "one")
            _ = try await place.commit("first")
            let source = try await watch(place.path("system.yaml"))
            try place.write("system.yaml", "two")
            #expect(await isTold(source))
            #expect(try await source.snapshot().revision.isDirty)
            let commit = try await place.commit("second")
            #expect(await isTold(source))
            let revision = try await source.snapshot().revision
            #expect(revision.id == commit && !revision.isDirty)
        }
    }

    @Test func aBurstIsOneChangeAndWhatIsNoSpecIsNone() async throws {
        try await with { place in
            try place.write("specs/a.yaml", "a")
            let source = try await watch(place.path("specs"))
            for number in 0..<200 { try place.write("specs/b\(number).yaml", "b") }
            #expect(await isTold(source))
            try await Task.sleep(for: .milliseconds(700))
            // What came while it was told may have made one more.
            let more = Task { try await source.change() }
            try await Task.sleep(for: .milliseconds(200))
            more.cancel()
            let quiet = Task { try await source.change() }
            try place.write("specs/.hidden.yaml", "no spec")
            try place.write("elsewhere.yaml", "no spec of these")
            try await Task.sleep(for: .milliseconds(700))
            quiet.cancel()
            await #expect(throws: CancellationError.self) { try await quiet.value }
        }
    }

    @Test func whatSpecsReadBesideThemIsWatchedAsWell() async throws {
        try await with { place in
            // Each spec names one thing that it reads.
            try place.write("specs/b.yaml", "nothing")
            let source = try await WatchedPaths([place.path("specs")], rereading: .seconds(3600), clock: ContinuousClock()) { files in
                files.map { place.path(String(decoding: $0.bytes, as: UTF8.self)) }
            }
            try place.write("migrations/1.sql", "one")
            try place.write("specs/a.yaml", "migrations")
            #expect(await isTold(source))
            let first = try await source.snapshot()
            #expect(await isTold(source), "what changed before it was watched may have been missed")
            #expect(try await source.snapshot().beside == first.beside)
            try place.write("migrations/deep/2.sql", "two")
            #expect(await isTold(source))
            let second = try await source.snapshot()
            #expect(second.files == first.files && second.revision == first.revision && second.beside != first.beside)
            try place.write("specs/a.yaml", "values.txt")
            #expect(await isTold(source))
            #expect(try await source.snapshot().beside[place.path("values.txt")] == "missing")
            #expect(await isTold(source))
            try place.write("values.txt", "secret")
            #expect(await isTold(source), "what comes to be is seen")
            try place.write("migrations/3.sql", "three")
            try await Task.sleep(for: .milliseconds(700))
            _ = try await source.snapshot()
            let quiet = Task { try await source.change() }
            try await Task.sleep(for: .milliseconds(200))
            quiet.cancel()
            await #expect(throws: CancellationError.self, "what nobody reads any more is not watched") { try await quiet.value }
        }
    }

    @Test func aMigrationThatIsNotCommittedMakesTheTreeDirty() async throws {
        try await with { place in
            try await place.git("init", "-q", "-b", "main")
            try place.write("specs/system.yaml", "one")
            try place.write("migrations/1.sql", "one")
            _ = try await place.commit("first")
            let paths = [place.path("migrations")]
            func isDirty() async throws -> Bool {
                try await PathSource([place.path("specs")], filesRead: { _ in paths }).snapshot().revision.isDirty
            }
            #expect(try await !isDirty())
            try place.write("migrations/2.sql", "two")
            #expect(try await isDirty())
        }
    }

    @Test func pathsAreReadAgainNowAndThenInAnyCase() async throws {
        try await with { place in
            try place.write("a.yaml", "a")
            let source = try await WatchedPaths([place.root], rereading: .milliseconds(50), clock: ContinuousClock())
            try await source.change()
            try await source.change()
        }
    }

    @Test func nothingOfAWatchIsLeftWhenItIsGone() async throws {
        try await with { place in
            try place.write("a.yaml", "a")
            func descriptors() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
            let before = try descriptors()
            for _ in 0..<20 { _ = try await watch(place.root) }
            // The threads close theirs when they have noticed.
            for _ in 0..<50 where try descriptors() > before + 3 { try await Task.sleep(for: .milliseconds(100)) }
            #expect(try descriptors() <= before + 3)
        }
    }
}
