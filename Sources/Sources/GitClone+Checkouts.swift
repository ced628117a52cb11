import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Checkouts of single commits, each in a directory of its own, of which nothing is changed once somebody reads it but that more is shown.
extension GitClone {
    private var trees: String { "\(place.path)/trees" }

    func checkoutPath(_ commit: String) -> String { "\(trees)/\(commit)" }

    /// A directory with the files of a commit that are at `paths` or below them; with all of them where there are no paths, or where links may
    /// lead elsewhere. Made when there is none.
    ///
    /// - Parameter isTrusted: true if this process made it, or looked at it before.
    func checkOut(_ commit: String, showing paths: [String], isTrusted: Bool) async throws(SourceError) -> String {
        let path = checkoutPath(commit)
        if let shown = shown(commit), Git.exists(path) {
            let isThere = shown.isEmpty || (!paths.isEmpty && shown.isSuperset(of: paths))
            if isTrusted, isThere { return path }
            let isWhole = isTrusted ? true : try await isUntouched(path)
            if isWhole {
                if !isThere { try await show(commit, paths.isEmpty ? [] : paths + shown) }
                return path
            }
        }
        try await remove(commit)
        let added = try await run(
            in: repository, ["worktree", "add", "--quiet", "--force", "--detach", "--no-checkout", path, commit],
            within: Self.transfer)
        guard added.status == 0 else { throw trouble(added) }
        try await show(commit, paths)
        return path
    }

    /// Lets a checkout have the files at some paths, and at no others; all of them where there are none.
    private func show(_ commit: String, _ paths: [String]) async throws(SourceError) {
        let path = checkoutPath(commit)
        var shown = Set(paths)
        if paths.contains(where: { $0.isEmpty || $0.contains(where: \.isNewline) }) { shown = [] }
        try await readTree(commit, shown)
        if !shown.isEmpty, shown.contains(where: { Self.holdsLink($0, in: path) }) {
            shown = []
            try await readTree(commit, shown)
        }
        do {
            try Data(shown.sorted().joined(separator: "\n").utf8).write(to: URL(filePath: mark(commit)), options: .atomic)
        } catch {
            throw SourceError(.gitFailed, "\(mark(commit)): cannot be written; is the disk full?")
        }
    }

    /// The old way of a sparse checkout: what is set by `git sparse-checkout` would be set for the bare clone as well.
    private func readTree(_ commit: String, _ paths: Set<String>) async throws(SourceError) {
        let path = checkoutPath(commit)
        let place = try await run(in: path, ["rev-parse", "--git-path", "info/sparse-checkout"])
        guard place.status == 0 else { throw trouble(place) }
        let file = place.output.firstLine.hasPrefix("/") ? place.output.firstLine : "\(path)/\(place.output.firstLine)"
        do {
            try FileManager.default.createDirectory(atPath: Self.folder(file), withIntermediateDirectories: true)
            try Data(Self.patterns(paths).utf8).write(to: URL(filePath: file))
        } catch {
            throw SourceError(.gitFailed, "\(file): cannot be written; is the disk full?")
        }
        let read = try await run(in: path, ["-c", "core.sparseCheckout=true", "read-tree", "-m", "-u", "HEAD"], within: Self.transfer)
        guard read.status == 0 else { throw trouble(read) }
    }

    /// With what git itself reads of a tree: attributes on the way to the paths, and submodules.
    static func patterns(_ paths: Set<String>) -> String {
        guard !paths.isEmpty else { return "/*\n" }
        var lines: Set<String> = ["/.gitattributes", "/.gitmodules"]
        for path in paths {
            var escaped = ""
            for character in path {
                if "*?[\\ !#".contains(character) { escaped += "\\" }
                escaped.append(character)
            }
            lines.insert("/\(escaped)")
            var above = escaped
            while let slash = above.lastIndex(of: "/") {
                above = String(above[..<slash])
                lines.insert("/\(above)/.gitattributes")
            }
        }
        return lines.sorted().joined(separator: "\n") + "\n"
    }

    /// True if a path leads through a link, is one, or has one below it.
    private static func holdsLink(_ path: String, in root: String) -> Bool {
        var place = root
        for part in path.split(separator: "/") {
            place += "/\(part)"
            if kind(place) == S_IFLNK { return true }
        }
        var pending = [place]
        while let next = pending.popLast() {
            guard kind(next) == S_IFDIR else { continue }
            for entry in entries(of: next) {
                let below = "\(next)/\(entry)"
                if kind(below) == S_IFLNK { return true }
                pending.append(below)
            }
        }
        return false
    }

    /// Its kind of file, links not followed; nil when there is none.
    static func kind(_ path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    private static func folder(_ path: String) -> String { String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) }

    /// There from when a checkout is complete, with the paths that it shows.
    private func mark(_ commit: String) -> String { "\(trees)/\(commit).complete" }

    /// The paths that a complete checkout shows, empty for all; nil where there is none.
    private func shown(_ commit: String) -> Set<String>? {
        guard let data = FileManager.default.contents(atPath: mark(commit)) else { return nil }
        return Set(String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init))
    }

    /// True if its files are as they were checked out.
    private func isUntouched(_ path: String) async throws(SourceError) -> Bool {
        let answer = try await run(in: path, ["status", "--porcelain", "--untracked-files=normal"])
        return answer.status == 0 && answer.output.isEmpty
    }

    /// The commits of which there are checkouts, complete or not.
    func checkouts() -> [String] { Self.entries(of: trees).filter(GitAddress.isCommit) }

    func remove(_ commit: String) async throws(SourceError) {
        unlink(mark(commit))
        _ = try await run(in: repository, ["worktree", "remove", "--force", "--force", checkoutPath(commit)])
        // One that was killed while it was made is in no list.
        do { if Git.exists(checkoutPath(commit)) { try FileManager.default.removeItem(atPath: checkoutPath(commit)) } } catch {
            throw SourceError(.unreadable, "\(checkoutPath(commit)): cannot be removed; check its permissions")
        }
        _ = try await run(in: repository, ["worktree", "prune"])
    }
}
