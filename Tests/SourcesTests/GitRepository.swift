import FoundationEssentials
import Model
import Sources
import SpecLoading
import TestPrograms

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The real git, a bare repository, and a work tree that pushes to it.
struct GitRepository {
    let place: Place

    /// Runs `body` with one of its own and takes it away afterwards.
    static func with(_ body: (GitRepository) async throws -> Void) async throws {
        let repository = GitRepository(place: try Place())
        do {
            try await repository.prepare()
            try await body(repository)
        } catch {
            try repository.place.remove()
            throw error
        }
        try repository.place.remove()
    }

    private func prepare() async throws {
        try await place.git("init", "-q", "--bare", "-b", "main", "remote.git")
        try await place.git("-C", "remote.git", "config", "uploadpack.allowFilter", "true")
        try await place.git("init", "-q", "-b", "main", "work")
        try await place.git("-C", "work", "remote", "add", "origin", place.path("remote.git"))
    }

    /// Commits a file and pushes it; returns the commit.
    @discardableResult
    func push(_ text: String, to path: String = "specs/system.yaml", force: Bool = false, _ options: String...) async throws -> String {
        try place.write("work/\(path)", text)
        return try await push(options, force: force)
    }

    /// Commits everything and pushes it; returns the commit.
    @discardableResult func push(_ options: [String] = [], force: Bool = false) async throws -> String {
        try await place.git("-C", "work", "add", ".")
        let commit = ["-C", "work"] + options + ["commit", "-q", "--allow-empty", "-m", "a change"]
        try await place.git(commit)
        try await place.git("-C", "work", "push", "-q", force ? "--force" : "--no-force", "origin", "HEAD")
        return try await place.git("-C", "work", "rev-parse", "HEAD")
    }

    /// As a host that knows partial clones: git would read a plain path by another way.
    var url: String { "file://" + place.path("remote.git") }

    func source(
        ref: String? = nil, _ paths: String..., url: String? = nil, signers: GitSigners? = nil, program: String = "git",
        reading filesRead: @escaping FilesRead = { _ in [] }
    ) throws -> GitSource {
        GitSource(
            try GitAddress(url ?? place.path("remote.git"), ref: ref, paths: paths), under: place.path("state"), program: program,
            signers: signers, filesRead: filesRead)
    }

    /// The host is down, or up again.
    func hide(_ isHidden: Bool) {
        let (here, away) = (place.path("remote.git"), place.path("away.git"))
        _ = isHidden ? rename(here, away) : rename(away, here)
    }

    /// Every file under the state directory that ends so.
    func stateFiles(_ end: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: place.path("state")).filter { $0.hasSuffix(end) }.map {
            place.path("state/" + $0)
        }
    }
}
