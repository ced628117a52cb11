import Testing

@testable import Migrations

struct ToolChecksumTests {
    /// `md5sum` of the text before the marker, without the blanks around it.
    @Test func theRunbooksIsMD5OfItsUpPart() {
        let file = "\n-- UP MIGRATION\nCREATE TABLE t (id int);\r\n\n--  down   migration\nDROP TABLE t;\n"
        #expect(ToolChecksum.runbook(Array(file.utf8)) == "6848c9f45982065deffeb9e445065834")
    }

    /// zlib's `crc32` of `CREATE TABLE t (id int);DROP TABLE t;`, signed.
    @Test(arguments: ["CREATE TABLE t (id int);\nDROP TABLE t;\n", "\u{FEFF}CREATE TABLE t (id int);\r\nDROP TABLE t;"])
    func flywaysPassesOverLineEnds(_ file: String) {
        #expect(ToolChecksum.flyway(Array(file.utf8)) == 1_794_049_481)
    }

    @Test func otherLineEndsAreNoDifference() {
        let recorded = ToolChecksum.sqlx(Array("a\nb\n".utf8)).hexadecimal
        #expect(ToolChecksum.agrees(Array("a\r\nb\r\n".utf8), with: recorded, kind: .sqlx) == true)
        #expect(ToolChecksum.agrees(Array("a\nc\n".utf8), with: recorded, kind: .sqlx) == false)
        #expect(ToolChecksum.agrees(Array("a\n".utf8), with: nil, kind: .sqlx) == nil)
    }
}
