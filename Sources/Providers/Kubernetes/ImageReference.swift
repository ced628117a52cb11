/// A container image as a pod names it, taken apart: `registry.example.com:5000/team/api:v1.41.3@sha256:…`.
struct ImageReference: Sendable, Hashable, CustomStringConvertible {
    var repository: String
    var tag: String?
    /// With its algorithm: `sha256:…`.
    var digest: String?

    init(repository: String, tag: String? = nil, digest: String? = nil) {
        self.repository = repository
        self.tag = tag
        self.digest = digest
    }

    init(_ text: String) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        digest = parts.count == 2 ? String(parts[1]) : nil
        let name = parts.first ?? ""
        // A colon before the last slash belongs to the registry's port.
        if let colon = name.lastIndex(of: ":"), !name[colon...].contains("/") {
            repository = String(name[..<colon])
            tag = String(name[name.index(after: colon)...])
        } else {
            repository = String(name)
            tag = nil
        }
    }

    var description: String { repository + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "") }

    /// Short, for labels: the tag, or the beginning of the digest.
    var label: String {
        tag ?? digest.map { String($0.prefix(19)) } ?? repository.split(separator: "/").last.map { "\($0) without a tag" } ?? repository
    }

    /// Every text that denotes exactly this image among those of one container.
    var names: [String] {
        var names = [description]
        if let tag { names.append(tag) }
        if let digest {
            names.append(digest)
            names.append("\(repository)@\(digest)")
            if let tag { names.append("\(repository):\(tag)") }
        }
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    /// The image that a pin means when no release carries it: a whole reference, or a tag or digest in this image's repository.
    func sibling(_ text: String) -> ImageReference? {
        if text.hasPrefix("sha256:") { return Self.isDigest(text) ? ImageReference(repository: repository, digest: text) : nil }
        if text.contains("/") || text.contains("@") || text.contains(":") {
            let reference = ImageReference(text)
            let isUsable =
                !reference.repository.isEmpty && (reference.tag ?? reference.digest) != nil && (reference.tag.map(Self.isTag) ?? true)
                && (reference.digest.map(Self.isDigest) ?? true) && !text.contains(where: \.isWhitespace)
            return isUsable ? reference : nil
        }
        return Self.isTag(text) ? ImageReference(repository: repository, tag: text) : nil
    }

    static func isTag(_ text: String) -> Bool {
        guard (1...128).contains(text.utf8.count), text.utf8.first != UInt8(ascii: "."), text.utf8.first != UInt8(ascii: "-") else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
        }
    }

    static func isDigest(_ text: String) -> Bool {
        guard text.hasPrefix("sha256:") else { return false }
        let digits = text.utf8.dropFirst(7)
        return digits.count == 64 && digits.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

/// Git commits as people write them into tags, labels and annotations.
enum CommitReading {
    /// Where a pod template may tell the commit that it was built from, in the order of trust.
    static let keys = ["org.opencontainers.image.revision", "app.kubernetes.io/commit", "app.kubernetes.io/version"]

    /// The commit of a tag: the tag itself, or its end after `-`, `.` or `_` (with git-describe's `g` before it).
    static func commit(ofTag tag: String) -> String? {
        let end = tag.split(whereSeparator: { $0 == "-" || $0 == "." || $0 == "_" }).last.map(String.init) ?? tag
        if let commit = commit(end) { return commit }
        return end.hasPrefix("g") ? commit(String(end.dropFirst())) : nil
    }

    /// 7 to 40 hexadecimal digits. Short ones need a letter and a digit: `20240611` is a date, `defaced` a word.
    static func commit(_ text: String) -> String? {
        let digits = text.utf8
        guard (7...40).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else {
            return nil
        }
        let hasDigit = digits.contains { $0 <= 0x39 }
        let hasLetter = digits.contains { $0 > 0x39 }
        return digits.count == 40 || (hasDigit && hasLetter) ? text : nil
    }
}
