internal import Crypto
public import Model

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Where a directory state store keeps the files of one system.
public struct StateDirectory: Sendable, Hashable {
    /// The system's own folder.
    public let path: String

    init(path: String) { self.path = path }

    /// - Parameter root: holds a folder for each system.
    public init(root: String, system: SystemID) {
        path = root + "/" + Self.folder(of: system)
    }

    public var journal: String { path + "/journal.jsonl" }
    public var lock: String { path + "/lock" }

    /// The root that is meant: as given, else `$XDG_STATE_HOME/belay`, else `~/.local/state/belay`.
    public static func root(given: String?, environment: [String: String]) throws(StateError) -> String {
        if let given, !given.isEmpty { return given }
        // A relative path is to be ignored: https://specifications.freedesktop.org/basedir-spec/latest/#variables
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return state + "/belay" }
        if let home = environment["HOME"], home.hasPrefix("/") { return home + "/.local/state/belay" }
        throw StateError(
            .noPlace, "there is no place for the state: neither XDG_STATE_HOME nor HOME is set to a directory",
            next: "name a directory with --state DIR")
    }

    /// `namespace.name`; whatever is not a letter, a digit, `-` or `_` is percent-encoded, so that no name leads elsewhere
    /// and no two systems share a folder.
    static func folder(of system: SystemID) -> String {
        func encoded(_ name: String) -> String {
            guard !name.isEmpty else { return "%" }
            return name.utf8.map { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: String(UnicodeScalar(byte))
                default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
                }
            }.joined()
        }
        let folder = encoded(system.namespace) + "." + encoded(system.name)
        // File names end at 255 bytes.
        guard folder.utf8.count > 200 else { return folder }
        let digest = SHA256.hash(data: Array(folder.utf8)).prefix(16).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        return folder.prefix(150) + "~" + digest.joined()
    }

    /// Makes the folder and those above it that are missing, for their owner alone.
    func create() throws(StateError) {
        var made = path.hasPrefix("/") ? "" : "."
        for name in path.split(separator: "/") {
            let parent = made.isEmpty ? "/" : made
            made += "/" + name
            if mkdir(made, 0o700) == 0 {
                try Self.synchronize(parent)
                continue
            }
            // Whether it is there is asked with a call that sets errno as well.
            let reason = errno
            if reason != EEXIST, access(made, F_OK) != 0 {
                throw StateError(errno: reason, "cannot make the directory \(made)", path: made)
            }
        }
    }

    /// Makes the names in a directory durable.
    static func synchronize(_ path: String) throws(StateError) {
        try OpenFile(path, O_RDONLY | O_DIRECTORY).synchronize()
    }
}
