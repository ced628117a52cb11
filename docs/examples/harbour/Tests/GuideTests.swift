import FoundationEssentials
import Testing

/// `docs/adding-a-provider.md` shows what stands in the example's files, word for word.
struct GuideTests {
    @Test(arguments: Guide.blocks) func everyBlockStandsInItsFile(_ block: Guide.Block) throws {
        let bytes = try #require(FileManager.default.contents(atPath: Guide.root + "/" + block.file), "there is no file \(block.file)")
        let file = String(decoding: bytes, as: UTF8.self)
        #expect(Guide.holds(file, block.text), "\(block.file) does not hold the block at line \(block.line)")
    }

    @Test func blocksAreFoundInTheGuide() {
        #expect(Guide.blocks.count >= 20)
        #expect(Guide.unmarked == [], "every block of Swift or YAML names its file: <!-- file: docs/examples/… --> before it")
    }

    @Test(arguments: [
        ("let a = 1\nlet b = 2", "let b = 2", true),  // a line
        ("    let a = 1\n    let b = 2", "let a = 1\nlet b = 2", true),  // a guide shows code without its indentation
        ("    let a = 1\n        let b = 2", "let a = 1\nlet b = 2", false),  // but not without its shape
        ("let a = 1\nlet b = 2\nlet c = 3", "let a = 1\nlet c = 3", false),  // lines that do not follow each other
        ("let a = 12", "let a = 1", false),  // not all of a line
    ]) func aBlockIsComparedByWholeLines(file: String, block: String, isHeld: Bool) {
        #expect(Guide.holds(file, block) == isHeld)
    }
}

enum Guide {
    struct Block: Sendable, CustomTestStringConvertible {
        var file: String
        /// Of the guide, counted from 1.
        var line: Int
        var text: String
        var testDescription: String { "\(file), shown at line \(line)" }
    }

    /// Four folders above this file.
    static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(5).joined(separator: "/")

    private static let lines: [Substring] = {
        let bytes = FileManager.default.contents(atPath: root + "/docs/adding-a-provider.md") ?? Data()
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    }()

    /// The blocks with the file that the comment before them names.
    static let blocks: [Block] = {
        var blocks: [Block] = []
        for (index, line) in lines.enumerated() {
            guard line.hasPrefix("<!-- file: "), line.hasSuffix(" -->") else { continue }
            let text = lines.dropFirst(index + 2).prefix { $0 != "```" }.joined(separator: "\n")
            blocks.append(Block(file: String(line.dropFirst(11).dropLast(4)), line: index + 2, text: text))
        }
        return blocks
    }()

    /// Lines that open a block of which nobody says where it stands.
    static let unmarked: [Int] = lines.indices.filter { index in
        (lines[index].hasPrefix("```swift") || lines[index].hasPrefix("```yaml"))
            && !(index > 0 && lines[index - 1].hasPrefix("<!-- file: "))
    }.map { $0 + 1 }

    /// True if the block's lines stand in the file one after the other, all indented by as much.
    static func holds(_ file: String, _ block: String) -> Bool {
        let file = file.split(separator: "\n", omittingEmptySubsequences: false)
        let block = block.split(separator: "\n", omittingEmptySubsequences: false)
        return file.indices.contains { start in
            guard start + block.count <= file.count else { return false }
            let indentation = file[start].prefix { $0 == " " }.count - (block.first?.prefix { $0 == " " }.count ?? 0)
            guard indentation >= 0 else { return false }
            return zip(file[start...], block).allSatisfy { ours, shown in
                shown.isEmpty ? ours.isEmpty : ours == String(repeating: " ", count: indentation) + shown
            }
        }
    }
}
