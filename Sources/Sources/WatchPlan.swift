import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Which directories have to be watched so that no change to some paths goes unseen, links on the way included.
///
/// A mounted ConfigMap changes by the renaming of a link that its files lead through (`system.yaml` → `..data/system.yaml`, `..data` →
/// `..2026_11_30`), and an editor replaces a file by renaming another: what is watched are directories and names in them, never files.
struct WatchPlan: Sendable {
    var paths: [String]
    /// Of the work trees that hold the paths: a commit changes the revision and no file.
    var gitDirectories: [String] = []

    /// What matters in one directory.
    struct Interest: Sendable, Hashable {
        /// Entries that matter whatever they are called.
        var names: Set<String> = []
        /// True if every entry matters that is not hidden.
        var isTree = false

        func matters(_ name: String) -> Bool { names.contains(name) || (isTree && !name.hasPrefix(".")) }
    }

    /// The most directories that are watched.
    static let limit = 20_000

    /// Walks the paths as they are now. By directory.
    func interests() -> [String: Interest] {
        var found: [String: Interest] = [:]
        for path in paths {
            guard let place = trace(Self.absolute(path), &found), Self.kind(place) == S_IFDIR else { continue }
            walk(place, &found)
        }
        for directory in gitDirectories { found[directory, default: Interest()].names.formUnion(["HEAD", "index", "ORIG_HEAD"]) }
        return found
    }

    private func walk(_ root: String, _ found: inout [String: Interest]) {
        var pending = [root]
        while let directory = pending.popLast(), found.count < Self.limit {
            found[directory, default: Interest()].isTree = true
            // One that cannot be listed is told by whoever reads the specs in it.
            guard let entries = try? FileManager.default.contentsOfDirectory(atPath: directory) else { continue }
            for entry in entries where !entry.hasPrefix(".") {
                let path = directory == "/" ? "/" + entry : "\(directory)/\(entry)"
                switch Self.kind(path) {
                case S_IFDIR: pending.append(path)
                case S_IFLNK: _ = trace(path, &found)
                default: break
                }
            }
        }
    }

    /// Follows a path from the root, link by link. Returns where it ends; nil where something is missing, whose appearance is then waited for.
    private func trace(_ path: String, _ found: inout [String: Interest]) -> String? {
        var rest = path.split(separator: "/").map(String.init)[...]
        var place = ""
        var links = 0
        while let name = rest.popFirst() {
            if name == "." { continue }
            if name == ".." {
                place = String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)])
                continue
            }
            let next = "\(place)/\(name)"
            let parent = place.isEmpty ? "/" : place
            guard let kind = Self.kind(next) else {
                found[parent, default: Interest()].names.insert(name)
                return nil
            }
            if kind == S_IFLNK || rest.isEmpty { found[parent, default: Interest()].names.insert(name) }
            guard kind == S_IFLNK else {
                place = next
                continue
            }
            links += 1
            guard links <= 40, let target = try? FileManager.default.destinationOfSymbolicLink(atPath: next) else { return nil }
            if target.hasPrefix("/") { place = "" }
            rest = (target.split(separator: "/").map(String.init) + rest)[...]
        }
        return place.isEmpty ? "/" : place
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    /// Its kind of file, links not followed; nil when there is none.
    private static func kind(_ path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }
}
