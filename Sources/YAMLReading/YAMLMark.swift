/// A place in a text. Lines and columns begin at 1; a column is a Unicode scalar, so that `é` and a tab are one column each.
public struct YAMLMark: Sendable, Hashable, Comparable {
    // Half the size of `Int`: every node has a mark.
    private var storedLine: Int32
    private var storedColumn: Int32

    /// Values beyond `Int32` become its greatest.
    public init(line: Int, column: Int) {
        storedLine = Int32(clamping: line)
        storedColumn = Int32(clamping: column)
    }

    public var line: Int { Int(storedLine) }
    public var column: Int { Int(storedColumn) }

    public static func < (left: YAMLMark, right: YAMLMark) -> Bool { (left.line, left.column) < (right.line, right.column) }
}
