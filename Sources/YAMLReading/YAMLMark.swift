/// A place in a text. Lines and columns begin at 1; a column is a Unicode scalar, so that `é` and a tab are one column each.
public struct YAMLMark: Sendable, Hashable, Comparable {
    public var line: Int
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public static func < (left: YAMLMark, right: YAMLMark) -> Bool { (left.line, left.column) < (right.line, right.column) }
}
