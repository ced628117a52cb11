public import Model

/// A file of environment variables on this machine, for development. It holds configuration only: there are no releases.
public struct EnvFileTarget: Target, Hashable {
    public static let provider = "envFile"
    /// Absolute, or relative to the working directory.
    public var path: String

    public init(path: String) { self.path = path }

    /// The path without detours: `./a/../.env` and `.env` are one file.
    public var identity: String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
        }
        return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }

    /// The one release that there is means the same in every file.
    public var scope: String { provider }

    public func resolvingPaths(_ resolve: (String) -> String) -> EnvFileTarget { EnvFileTarget(path: resolve(path)) }
}
