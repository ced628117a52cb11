import FoundationEssentials

/// Where in which repository specs are: its URL, a ref, and paths in it.
public struct GitAddress: Sendable, Hashable {
    /// As Git is told it: local paths are absolute.
    public let url: String
    /// A branch, a tag, a full name (`refs/…`) or a full commit id; nil is the branch that the repository itself names (`HEAD`).
    public let ref: String?
    /// Files and directories, relative to the root of the tree; empty for all of it.
    public let paths: [String]

    /// - Parameter url: whatever Git can fetch from; without a password, which everybody on this machine could read among the arguments.
    public init(_ url: String, ref: String? = nil, paths: [String] = []) throws(SourceError) {
        if let scheme = url.firstRange(of: "://") {
            let authority = url[scheme.upperBound...].prefix { $0 != "/" }
            if let at = authority.lastIndex(of: "@"), authority[..<at].contains(":") {
                throw SourceError(
                    .refused,
                    "the URL holds a password, and everybody on this machine can read arguments; leave it out and set \(Self.tokenVariable)"
                )
            }
        }
        guard !url.isEmpty, !url.hasPrefix("-") else { throw SourceError(.refused, "\(url): is not the URL of a repository") }
        if let ref, ref.isEmpty || ref.hasPrefix("-") || ref.contains(where: { $0.isWhitespace || ":^~?*[\\".contains($0) }) {
            throw SourceError(.refused, "\(ref): is not the name of a branch, a tag or a commit")
        }
        for path in paths where path.hasPrefix("/") || path.split(separator: "/").contains("..") || path == "-" {
            throw SourceError(.refused, "\(path): a path in the repository is relative to its root, and stays in it")
        }
        // As Git tells them apart: a colon before the first slash is a host.
        let isRemote = url.contains("://") || url.prefix { $0 != "/" }.contains(":")
        self.url = isRemote || url.hasPrefix("/") ? url : FileManager.default.currentDirectoryPath + "/" + url
        self.ref = ref
        self.paths = paths.map { path in path.split(separator: "/").filter { $0 != "." }.joined(separator: "/") }.filter { !$0.isEmpty }
    }

    /// Reads `URL#REF:PATH,PATH`, of which everything from the `#` on may be left out: `https://git.example/acme/specs#main:prod`.
    ///
    /// - Parameters:
    ///   - ref: said apart from the text; refused where the text says another thing after `#`.
    ///   - paths: likewise.
    public init(parsing text: String, ref: String? = nil, paths: [String] = []) throws(SourceError) {
        guard let mark = text.lastIndex(of: "#") else {
            try self.init(text, ref: ref, paths: paths)
            return
        }
        guard ref == nil, paths.isEmpty else {
            throw SourceError(.refused, "\(text): what stands after # says the ref and the paths; leave --ref and --path out")
        }
        let (name, rest) = (text[text.index(after: mark)...].prefix { $0 != ":" }, text[mark...].drop { $0 != ":" }.dropFirst())
        let named = rest.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard !name.isEmpty || !rest.isEmpty, rest.isEmpty != text[mark...].contains(":"), rest.isEmpty || !named.contains("") else {
            throw SourceError(.refused, "\(text): after # stands REF, :PATH or REF:PATH, with several paths as PATH,PATH")
        }
        try self.init(String(text[..<mark]), ref: name.isEmpty ? nil : String(name), paths: named)
    }

    /// The environment variable with the token that is sent to an HTTPS host.
    public static let tokenVariable = "BELAY_GIT_TOKEN"
    /// The one with the user's name that goes with it, for hosts that look at it.
    public static let userVariable = "BELAY_GIT_USER"

    /// For people: `https://git.example/acme/specs (main)`.
    public var description: String { Substring(url).withoutCredentials + (ref.map { " (\($0))" } ?? "") }

    /// What tells it from every other address, as it is given: `https://git.example/acme/specs#main:prod`.
    public var name: String {
        let place = (ref ?? "") + (paths.isEmpty ? "" : ":" + paths.joined(separator: ","))
        return Substring(url).withoutCredentials + (place.isEmpty ? "" : "#" + place)
    }

    /// Its URL without the name of a user.
    public var plainURL: String { Substring(url).withoutCredentials }

    /// True if git speaks HTTP to it.
    var isHTTP: Bool { url.hasPrefix("https://") || url.hasPrefix("http://") }

    /// True if the ref can only ever mean one commit.
    public var isCommit: Bool { ref.map(Self.isCommit) ?? false }

    static func isCommit(_ text: String) -> Bool { text.utf8.count == 40 && text.allSatisfy { $0.isHexDigit && !$0.isUppercase } }
}
