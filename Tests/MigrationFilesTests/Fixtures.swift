import SQLParsing
import Testing

@testable import MigrationFiles

extension MigrationSource {
    init(_ path: String, _ text: String = "") { self.init(path: path, bytes: Array(text.utf8)) }
}

/// The directory that these files make.
func read(
    _ files: [(String, String)], _ format: MigrationFormat? = nil, _ order: MigrationOrder? = nil, _ dialect: SQLDialect = .postgres
) throws(MigrationFileErrors) -> MigrationDirectory {
    try MigrationDirectory(
        reading: files.map { MigrationSource($0.0, $0.1) }, format: format, order: order, dialect: dialect)
}

/// `Reason path:line:column`, each mistake of these files; empty where there is none.
func mistakes(
    _ files: [(String, String)], _ format: MigrationFormat? = nil, _ order: MigrationOrder? = nil, _ dialect: SQLDialect = .postgres
) -> [String] {
    do throws(MigrationFileErrors) {
        _ = try read(files, format, order, dialect)
        return []
    } catch {
        return error.mistakes.map { mistake in
            let place = [mistake.line, mistake.column].compactMap { $0.map { ":\($0)" } }.joined()
            return mistake.path.isEmpty ? mistake.reason : "\(mistake.reason) \(mistake.path)\(place)"
        }
    }
}

/// What the first mistake says.
func firstMessage(_ files: [(String, String)], _ format: MigrationFormat? = nil) -> String? {
    do throws(MigrationFileErrors) {
        _ = try read(files, format)
        return nil
    } catch {
        return error.mistakes.first?.message
    }
}

extension MigrationScript {
    /// Without blank lines around it.
    var core: String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let first = lines.firstIndex { !$0.allSatisfy(\.isWhitespace) } ?? lines.endIndex
        let last = lines.lastIndex { !$0.allSatisfy(\.isWhitespace) } ?? first
        return first < lines.endIndex ? lines[first...last].joined(separator: "\n") : ""
    }

    /// In the file, the first line that is not blank.
    var coreLine: Int {
        firstLine + text.split(separator: "\n", omittingEmptySubsequences: false).prefix { $0.allSatisfy(\.isWhitespace) }.count
    }
}
