import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension GitWorkTree {
    /// How two commits relate by the history that the remote has, for a work tree whose own is cut off. Unknown where the remote does not give
    /// both.
    ///
    /// The history, without trees and files, is fetched to a place that is thrown away: somebody's work tree is left as it is.
    func askedRelation(of older: String, to newer: String) async throws(SourceError) -> RevisionRelation {
        guard let remote = try await remote(), let settings = try await git.run(in: root, ["rev-parse", "--git-common-dir"]),
            settings.status == 0
        else { return .unknown }
        let directory = settings.output.firstLine
        let configuration = "\(directory.hasPrefix("/") ? directory : "\(root)/\(directory)")/config"
        let place = "\(FileManager.default.temporaryDirectory.path)/belay-history-\(UInt64.random(in: .min ... .max))"
        guard mkdir(place, 0o700) == 0 else { return .unknown }
        defer { do { try FileManager.default.removeItem(atPath: place) } catch {} }  // The system cleans what stands there.
        // With the address and the credentials of the work tree, which a pipeline's checkout has in its settings.
        let steps = [
            ["init", "--quiet", "--bare", "--template=", place],
            [
                "--git-dir=\(place)", "-c", "include.path=\(configuration)", "-c", "core.bare=true", "fetch", "--quiet", "--no-tags",
                "--no-recurse-submodules", "--filter=tree:0", remote, older, newer,
            ],
        ]
        for arguments in steps {
            guard let answer = try await git.run(in: root, arguments, within: .seconds(120)), answer.status == 0 else { return .unknown }
        }
        return try await GitWorkTree(root: place, git: git).relation(of: older, to: newer)
    }

    /// `origin`, or the only one there is.
    private func remote() async throws(SourceError) -> String? {
        guard let answer = try await git.run(in: root, ["remote"]), answer.status == 0 else { return nil }
        let names = answer.output.split(whereSeparator: \.isNewline).map(String.init)
        return names.contains("origin") ? "origin" : names.count == 1 ? names.first : nil
    }
}
