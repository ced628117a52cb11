import FoundationEssentials
import Testing

/// The page of edge cases against the tests that it names.
@Suite struct EdgeCasesPageTests {
    private static let repository = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static func text(_ url: URL) throws -> String { String(decoding: try Data(contentsOf: url), as: UTF8.self) }

    /// All sources of a folder of tests.
    private static func sources(_ folder: String) throws -> String {
        let place = repository.appending(path: "Tests/\(folder)")
        return try FileManager.default.contentsOfDirectory(atPath: place.path).filter { $0.hasSuffix(".swift") }
            .map { try text(place.appending(path: $0)) }.joined()
    }

    @Test(arguments: [("Fly.io", "FlyProviderTests", 24), ("Render", "RenderProviderTests", 26), ("Vercel", "VercelProviderTests", 30)])
    func everyCaseIsHeldByATestOrCannotOccur(_ vendor: String, _ folder: String, _ count: Int) throws {
        let page = try Self.text(Self.repository.appending(path: "docs/edge-cases.md"))
        let section = try #require(page.components(separatedBy: "\n## ").first { $0.hasPrefix(vendor + "\n") })
        let rows = section.split(separator: "\n").filter { $0.hasPrefix("| ") && $0.dropFirst(2).first?.isNumber == true }
        #expect(rows.map { $0.split(separator: " ")[1] } == (1...count).map { "\($0)" })
        let sources = try Self.sources(folder)
        for row in rows {
            let held = row.split(separator: "|").last.map(String.init) ?? ""
            if held.contains("cannot occur: ") { continue }
            let names = held.split(separator: "`").enumerated().filter { !$0.offset.isMultiple(of: 2) }.map(\.element)
            #expect(!names.isEmpty, "\(row)")
            for name in names {
                let isThere = sources.contains("func \(name)(")
                #expect(isThere, "\(name) of \(row)")
            }
        }
    }
}
