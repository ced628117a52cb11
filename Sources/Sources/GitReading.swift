import Model
import SpecLoading

/// Reads one commit of a clone from its checkout.
struct GitReading: Sendable {
    var address: GitAddress
    var commit: String
    var clone: GitClone
    var git: Git
    var signers: GitSigners?
    /// Nil where there are no specs.
    var filesRead: FilesRead?
    /// True if this process has the checkout in use already.
    var isTrusted: Bool

    private var short: Substring { commit.prefix(12) }

    /// Throws if the commit must be signed and is not, before anything of it is read.
    func verify() async throws(SourceError) {
        guard let signers else { return }
        do throws(SourceError) {
            try await signers.verify(commit, in: clone.repository, with: git, place: "\(clone.place.path)/signers")
        } catch {
            throw SourceError(error.code, "commit \(short) of \(address.description): \(error.message)", of: Revision(.commit, commit))
        }
    }

    /// What the commit holds. A mistake in it is an error that names its revision.
    func snapshot(of checkout: Checkout) async throws(SourceError) -> Snapshot {
        let tree = GitWorkTree(root: checkout.path, git: git)
        let revision = Revision(.commit, commit, committed: try await tree.head()?.committed)
        do throws(SourceError) {
            return try await read(checkout, tree, revision)
        } catch {
            guard ![.gitFailed, .damaged].contains(error.code) else { throw error }
            throw SourceError(error.code, error.message, of: revision)
        }
    }

    private func read(_ checkout: Checkout, _ tree: GitWorkTree, _ revision: Revision) async throws(SourceError) -> Snapshot {
        guard let filesRead else { return try await readDirectory(checkout, tree, revision) }
        let lfs = try await tree.pointers(at: address.paths)
        var files: [SourceFile] = []
        for path in address.paths.isEmpty ? [""] : address.paths {
            let place = path.isEmpty ? checkout.path : "\(checkout.path)/\(path)"
            guard Git.exists(place) else {
                throw SourceError(.notFound, "\(path): there is no such file or directory in commit \(revision) of \(address.description)")
            }
            do throws(SourceError) {
                files += try PathReader().files(at: place)
            } catch {
                throw SourceError(
                    error.code,
                    "commit \(revision) of \(address.description): \(error.message.replacing(checkout.path + "/", with: "").replacing(checkout.path, with: "the root"))"
                )
            }
        }
        let pointers = Set(lfs.map { "\(checkout.path)/\($0)" })
        if let file = files.first(where: { pointers.contains($0.name) }) {
            let name = file.name.dropFirst(checkout.path.utf8.count + 1)
            throw SourceError(
                .refused, "\(name): commit \(revision) has a Git LFS pointer in its place; keep specs out of LFS, or install git-lfs here")
        }
        files.sort { $0.name < $1.name }
        var notes = try await tree.submodules().map { "\($0) is a submodule, and its files are not read" }
        let beside = try await look(at: filesRead(files), in: checkout)
        let further = beside.compactMap(\.place).filter { !isShown($0) }
        let others = further.isEmpty ? lfs : try await lfs + tree.pointers(at: further)
        if !others.isEmpty {
            let names = Set(others).sorted()
            let shown = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? " and \(names.count - 3) more" : "")
            notes.append("Git LFS pointers stand in the place of files, and what reads them gets the pointer: \(shown)")
        }
        var snapshot = Snapshot(
            revision: revision, files: files, notes: notes, checkout: checkout,
            beside: Dictionary(beside.map { ($0.path, $0.identity) }) { first, _ in first })
        snapshot.address = address
        return snapshot
    }

    /// What is at the one path, or the whole tree, for those who read it themselves.
    private func readDirectory(_ checkout: Checkout, _ tree: GitWorkTree, _ revision: Revision) async throws(SourceError) -> Snapshot {
        let path = address.paths.first ?? ""
        let place = path.isEmpty ? checkout.path : "\(checkout.path)/\(path)"
        guard Git.exists(place), Git.directory(of: place) == place else {
            throw SourceError(.notFound, "\(path): there is no such directory in commit \(revision) of \(address.description)")
        }
        if let pointer = try await tree.pointers(at: address.paths).first(where: { $0.hasSuffix(".sql") }) {
            throw SourceError(
                .refused, "\(pointer): commit \(revision) of \(address.description) has a Git LFS pointer in its place; keep it out of LFS")
        }
        let notes = try await tree.submodules().filter { $0 == path || $0.hasPrefix(path.isEmpty ? "" : path + "/") }.map {
            "\($0) is a submodule, and its files are not read"
        }
        guard let found = try await look(at: [place], in: checkout).first, let inside = found.place else {
            throw SourceError(.refused, "\(path): commit \(revision) of \(address.description) has a link there that leads out of it")
        }
        if let link = GitLinks(root: checkout.path).leadingOut(below: inside).min() {
            throw SourceError(
                .refused, "\(link): commit \(revision) of \(address.description) has a link there that leads out of it, or to itself")
        }
        return Snapshot(revision: revision, files: [], notes: notes, checkout: checkout, beside: ["": found.identity])
    }

    // MARK: - What is read beside the specs

    private struct Beside {
        /// As the specs name it.
        var path: String
        /// Relative to the root of the tree; nil where it is not in it.
        var place: String?
        var identity = "elsewhere"
    }

    /// Checks out what the specs read beside themselves, and tells what it is. What is not of this repository is the same for every commit.
    private func look(at paths: [String], in checkout: Checkout) async throws(SourceError) -> [Beside] {
        var found = Set(paths).sorted().map { Beside(path: $0, place: Self.place(of: $0, in: checkout.path)) }
        let missing = found.compactMap(\.place).filter { !isShown($0) }
        if !missing.isEmpty {
            _ = try await clone.checkOut(commit, showing: address.paths + missing, isTrusted: true)
            // A link on the way leads elsewhere only when it is there.
            found = found.map { Beside(path: $0.path, place: Self.place(of: $0.path, in: checkout.path)) }
        }
        let places = Set(found.compactMap(\.place)).sorted()
        guard !places.isEmpty else { return found }
        // A path with a slash at its end, or the root, would list what is in it.
        let answer = try await clone.run(
            in: clone.repository,
            ["--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--"] + places.filter { !$0.isEmpty })
        guard answer.status == 0 else { throw clone.trouble(answer) }
        var objects: [String: String] = [:]
        for entry in answer.output.split(separator: "\0") {
            let words = entry.split(separator: "\t", maxSplits: 1)
            if words.count == 2 { objects[String(words[1])] = String(words[0]) }
        }
        return found.map { beside in
            var beside = beside
            if let place = beside.place { beside.identity = place.isEmpty ? commit : objects[place] ?? "missing" }
            return beside
        }
    }

    private func isShown(_ place: String) -> Bool {
        address.paths.isEmpty || address.paths.contains { place == $0 || place.hasPrefix($0 + "/") }
    }

    /// Where in a tree a path leads; nil where it leads out of it.
    private static func place(of path: String, in root: String) -> String? {
        let base = Git.resolved(root)
        let place = Git.exists(path) ? Git.resolved(path) : plain(path).replacing(root, with: base, maxReplacements: 1)
        if place == base { return "" }
        return place.hasPrefix(base + "/") ? String(place.dropFirst(base.utf8.count + 1)) : nil
    }

    /// Without `.` and `..`, for what is not there to be resolved.
    private static func plain(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}

extension GitWorkTree {
    /// The paths of submodules, which are empty directories here.
    fileprivate func submodules() async throws(SourceError) -> [String] {
        guard Git.exists("\(root)/.gitmodules") else { return [] }
        let question = ["config", "--file", ".gitmodules", "--get-regexp", "^submodule\\..*\\.path$"]
        guard let answer = try await git.run(in: root, question), answer.status == 0 else { return [] }
        return answer.output.split(separator: "\n").compactMap { $0.split(separator: " ", maxSplits: 1).last.map(String.init) }.sorted()
    }

    /// The files at some paths, relative to the root, that are pointers of Git LFS here, because nothing put the contents in their place.
    fileprivate func pointers(at paths: [String]) async throws(SourceError) -> [String] {
        let places = paths.isEmpty ? [""] : paths
        let question = ["ls-files", "-z", "--"] + places.map { ":(top,attr:filter=lfs)\($0)" }
        guard let answer = try await git.run(in: root, question), answer.status == 0 else { return [] }
        return answer.output.split(separator: "\0").prefix(1000).map(String.init).filter { PathReader.isPointer("\(root)/\($0)") }
    }
}
