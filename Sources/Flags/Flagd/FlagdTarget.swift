public import Model
public import SpecFields

/// A flag definition file of flagd.
public struct FlagdTarget: FlagTarget, Hashable {
    public static let store = "flagd"
    /// Absolute, or relative to the working directory.
    public var file: String

    public init(file: String) { self.file = file }

    /// The path without detours: `./a/../flags.json` and `flags.json` are one file.
    public var identity: String {
        var parts: [Substring] = []
        for part in file.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
        }
        return (file.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }

    public func resolvingPaths(_ resolve: (String) -> String) -> FlagdTarget { FlagdTarget(file: resolve(file)) }
}

extension FlagdTarget: SpecObject {
    public init(_ fields: inout Fields) {
        file = fields.required("file", .string(.flagFile), "The file, absolute or relative to this one; it must be there.")
    }
}

extension StringRule {
    fileprivate static let flagFile = StringRule(
        pattern: "^[^\\x00-\\x1F]*[^/\\x00-\\x1F]$", hint: "the path of a file, without control characters"
    ) { text in
        text.utf8.last.map { $0 != UInt8(ascii: "/") } ?? false && text.utf8.allSatisfy { $0 >= 0x20 }
    }
}
