/// Rows in aligned columns, two spaces apart. The last column is not padded, so that no line ends in spaces.
public struct TextTable: Sendable {
    /// A cell's text, and how to emphasise it once it has been padded.
    public struct Cell: Sendable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
        var text: String
        var emphasis: @Sendable (String) -> String

        public init(_ text: String, _ emphasis: @escaping @Sendable (String) -> String = { $0 }) {
            self.text = text.printable
            self.emphasis = emphasis
        }

        public init(stringLiteral value: String) { self.init(value) }
    }

    private var rows: [[Cell]] = []
    private let style: TextStyle
    private let indent: String

    /// - Parameter header: column titles; empty for a table without.
    public init(header: [String] = [], style: TextStyle, indent: Int = 0) {
        self.style = style
        self.indent = String(repeating: " ", count: indent)
        if !header.isEmpty { rows.append(header.map { Cell($0, style.dim) }) }
    }

    public mutating func add(_ cells: [Cell]) { rows.append(cells) }

    /// Every line ends with a newline.
    public func rendered() -> String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], cell.text.count)
            }
        }
        var text = ""
        for row in rows {
            let last = row.lastIndex { !$0.text.isEmpty } ?? -1
            text += indent
            for (column, cell) in row.enumerated() where column <= last {
                text += cell.emphasis(cell.text)
                if column < last { text += String(repeating: " ", count: widths[column] - cell.text.count + 2) }
            }
            text += "\n"
        }
        return text
    }
}
