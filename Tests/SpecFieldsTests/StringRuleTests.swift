import SpecFields
import Testing

@Suite struct StringRuleTests {
    /// The function that reads and the pattern in the schemas are two texts of one rule.
    @Test(arguments: [StringRule.name, .label, .subdomain, .httpURL])
    func patternAndFunctionAgree(rule: StringRule) throws {
        let pattern = try Regex(rule.pattern)
        let label63 = String(repeating: "a", count: 63)
        for text in [
            "", "a", "1", "web", "web-1", "-web", "web-", "Web", "1web", "a_b", "a.b", "a..b", ".a", "a.", "é", "a b", "a\n", label63,
            label63 + "a",
            "https://x", "http://x/", "https://x:1/a?b#c", "https://", "https:///a", "ftp://x", "https://u:p@x", "https://x/a b",
            "https://x/@a", "https://x?y=a@b", "HTTPS://x",
        ] {
            #expect(rule.accepts(text) == (text.wholeMatch(of: pattern) != nil), "\(rule.pattern): \(text)")
        }
    }
}
