/// Emphasis for a terminal, or none.
public struct TextStyle: Sendable, Hashable {
    public var isColoured: Bool

    public init(isColoured: Bool) { self.isColoured = isColoured }

    public static let plain = TextStyle(isColoured: false)

    public func bold(_ text: String) -> String { wrap(text, "1") }
    public func dim(_ text: String) -> String { wrap(text, "2") }
    public func red(_ text: String) -> String { wrap(text, "31") }
    public func green(_ text: String) -> String { wrap(text, "32") }
    public func yellow(_ text: String) -> String { wrap(text, "33") }
    public func cyan(_ text: String) -> String { wrap(text, "36") }

    private func wrap(_ text: String, _ code: String) -> String {
        isColoured && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

extension String {
    /// The text on one line without control characters, so that a commit message cannot move a reader's cursor.
    /// Line ends and tabs become spaces; everything else of the kind is dropped, directional overrides included.
    public var printable: String {
        var scalars = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar {
            case "\n", "\r", "\t": scalars.append(" ")
            default:
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: break
                default: scalars.append(scalar)
                }
            }
        }
        return String(scalars)
    }

    /// At most `width` characters, the last one an ellipsis when something was cut.
    public func shortened(to width: Int) -> String {
        count <= width ? self : prefix(max(0, width - 1)) + "…"
    }
}
