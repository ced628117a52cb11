#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The links of a checkout, read as they are written: whoever writes to the repository must not read files of this machine, neither those
/// that are there nor those that come to be there.
struct GitLinks: Sendable {
    /// Of the checkout.
    let root: String

    private static let limit = 40

    /// Those in a directory, below it, and in directories that such links lead to, which lead out of the checkout.
    ///
    /// - Parameter directory: relative to the root, without links on the way.
    func leadingOut(below directory: String) -> [String] {
        var found: [String] = []
        var (pending, seen) = ([directory], Set([directory]))
        while let next = pending.popLast() {
            for entry in GitClone.entries(of: "\(root)/\(next)") {
                let path = next.isEmpty ? entry : "\(next)/\(entry)"
                guard let end = end(of: path) else {
                    found.append(path)
                    continue
                }
                if GitClone.kind("\(root)/\(end)") == S_IFDIR, seen.insert(end).inserted { pending.append(end) }
            }
        }
        return found
    }

    /// Where a path leads, relative to the root, whether or not something is there; nil where it leads out, even if only on the way, or
    /// without an end.
    private func end(of path: String) -> String? {
        var pending = Array(path.split(separator: "/").map(String.init).reversed())
        var place: [String] = []
        var links = 0
        while let part = pending.popLast() {
            if part == "." { continue }
            if part == ".." {
                if place.popLast() == nil { return nil }
                continue
            }
            place.append(part)
            guard let target = Self.target(of: "\(root)/\(place.joined(separator: "/"))") else { continue }
            links += 1
            guard links <= Self.limit, !target.hasPrefix("/") else { return nil }
            place.removeLast()
            pending += target.split(separator: "/").map(String.init).reversed()
        }
        return place.joined(separator: "/")
    }

    /// What a link says; nil for what is none.
    private static func target(of path: String) -> String? {
        guard GitClone.kind(path) == S_IFLNK else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = bytes.withUnsafeMutableBytes { buffer in
            buffer.baseAddress.map { readlink(path, $0.assumingMemoryBound(to: CChar.self), buffer.count) } ?? 0
        }
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
