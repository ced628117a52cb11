import Model
import Sources
import TestPrograms
import Testing

/// A repository that is polled once an hour, and told of.
@Suite(.timeLimit(.minutes(2))) struct PokeTests {
    @Test func aPokeEndsThePauseAndIsNotLost() async throws {
        let source = GitSource(try GitAddress("/no/such"), under: "/no/such", poll: .seconds(3600))
        // Before anybody waits, and many times: then one pause is over at once.
        source.poke()
        source.poke()
        try await source.change()
        async let change: Void = source.change()
        source.poke()
        try await change
    }

    @Test func whatTheHostDoesNotHaveYetIsAskedForAgainSoon() async throws {
        let place = try Place()
        try await place.git("init", "-q", "--bare", "-b", "main", "remote.git")
        try await place.git("init", "-q", "-b", "main", "work")
        try place.write("work/system.yaml", "one")
        try await place.git("-C", "work", "add", ".")
        try await place.git("-C", "work", "commit", "-q", "-m", "one")
        try await place.git("-C", "work", "push", "-q", place.path("remote.git"), "main")
        let source = GitSource(try GitAddress(place.path("remote.git")), under: place.path("state"), poll: .seconds(3600))
        let first = try await source.snapshot()
        try place.write("work/system.yaml", "two")
        try await place.git("-C", "work", "commit", "-q", "-am", "two")
        let two = try await place.git("-C", "work", "rev-parse", "HEAD")
        // The host says so, and has it a moment later.
        source.poke(expecting: two)
        try await source.change()
        #expect(try await source.snapshot().revision == first.revision)
        try await place.git("-C", "work", "push", "-q", place.path("remote.git"), "main")
        // By itself, after 2 s and not after an hour.
        try await source.change()
        #expect(try await source.snapshot().revision.id == two)
        try place.remove()
    }
}
