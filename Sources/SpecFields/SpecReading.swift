public import YAMLReading

/// The reading of one document: the field that is being read, and what was found wrong so far.
///
/// A reference, because every value of the document reports into the same list. Used by one task at a time.
public final class SpecReading {
    private enum PathElement {
        case key(String)
        case index(Int)
    }

    public let file: String
    // Checking at run time that no two accesses overlap would cost as much as the accesses: nothing here calls back while it changes them.
    @exclusivity(unchecked) public private(set) var diagnostics: [Diagnostic] = []
    @exclusivity(unchecked) private var elements: [PathElement] = []

    public init(file: String) {
        self.file = file
    }

    /// Notes a mistake in the field that is being read. The message never holds a value that could be a secret.
    public func report(_ message: String, at mark: YAMLMark) {
        diagnostics.append(Diagnostic(file: file, at: mark, path: path, message: message))
    }

    /// The field that is being read: `spec.components.web.verify[0]`. A key with other characters than those of a name is quoted.
    public var path: String {
        var path = ""
        for element in elements {
            switch element {
            case .index(let index): path += "[\(index)]"
            case .key(let key) where Self.isPlain(key): path += path.isEmpty ? key : ".\(key)"
            case .key(let key): path += "[\"\(key.shortened)\"]"
            }
        }
        return path
    }

    @usableFromInline var mistakeCount: Int { diagnostics.count }

    @usableFromInline func enter(_ key: String) { elements.append(.key(key)) }
    @usableFromInline func enter(_ index: Int) { elements.append(.index(index)) }
    @usableFromInline func leave() { elements.removeLast() }

    /// Runs `body` for the value under a key.
    @inlinable
    public func within<Value>(_ key: String, _ body: () -> Value) -> Value {
        enter(key)
        defer { leave() }
        return body()
    }

    /// Runs `body` for an item of a list.
    @inlinable
    public func within<Value>(_ index: Int, _ body: () -> Value) -> Value {
        enter(index)
        defer { leave() }
        return body()
    }

    /// The text of a scalar as it was written. Reports anything else, an empty scalar included.
    public func text(of node: YAMLNode, expecting expected: String) -> String? {
        guard case .scalar(let text, _) = node.content else {
            report("expected \(expected), found \(node.mapping == nil ? "a list" : "a mapping")", at: node.mark)
            return nil
        }
        if let tag = node.tag, !tag.hasPrefix("tag:yaml.org,2002:") {
            report("tags such as \(tag.shortened) are not supported; write the value itself", at: node.mark)
            return nil
        }
        guard !node.isNull, !text.isEmpty else {
            report("is empty; expected \(expected)", at: node.mark)
            return nil
        }
        return text
    }

    private static func isPlain(_ key: String) -> Bool {
        !key.isEmpty
            && key.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x5F
            }
    }
}

extension String {
    /// Fit for a message: one line, at most 60 characters.
    package var shortened: String {
        let line = String(String.UnicodeScalarView(unicodeScalars.prefix(200).map { $0.properties.generalCategory == .control ? " " : $0 }))
        return line.count <= 60 ? line : line.prefix(59) + "…"
    }
}
