public import SpecLoading

extension PathSource {
    /// A file as it was at a commit; nil when that commit, or this file in it, is not in the history that is here.
    ///
    /// - Parameter name: as a snapshot names it.
    public func file(_ name: String, at commit: String) async throws(SourceError) -> SourceFile? {
        guard let tree = try await workTree(holding: name) else { return nil }
        let path = Git.resolved(name)
        guard path.hasPrefix(tree.root + "/") else { return nil }
        let answer = try await tree.git.run(in: tree.root, ["cat-file", "blob", "\(commit):\(path.dropFirst(tree.root.utf8.count + 1))"])
        guard let answer, answer.status == 0 else { return nil }
        return SourceFile(name: name, bytes: Array(answer.output.utf8))
    }
}
