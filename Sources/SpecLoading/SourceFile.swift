/// A spec file as its source gave it.
public struct SourceFile: Sendable, Hashable {
    /// For messages: the path as it was named, or `<stdin>`.
    public var name: String
    public var bytes: [UInt8]
    /// True if somebody named this very file: it must then hold systems. In a file found in a directory tree, other documents are passed over.
    public var isExplicit: Bool

    public init(name: String, bytes: [UInt8], isExplicit: Bool = true) {
        self.name = name
        self.bytes = bytes
        self.isExplicit = isExplicit
    }
}
