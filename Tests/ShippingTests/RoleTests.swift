import Testing
import YAMLReading

@Suite struct RoleTests {
    @Test func noVerbIsGrantedTwiceOrToEverything() throws {
        let grants = try Grant.all()
        #expect(grants.count > 20)
        #expect(Set(grants).count == grants.count, "one rule, and one reason, for a verb")
        for grant in grants { #expect(!"\(grant)".contains("*"), "\(grant)") }
    }

    /// A rule that nobody can explain is not granted.
    @Test func everyRuleSaysWhatItIsFor() throws {
        for file in try Project.names(in: "manifests/rbac") where file != "kustomization.yaml" {
            let lines = try Project.text("manifests/rbac/\(file)").split(separator: "\n")
            let rules = lines.indices.filter { lines[$0].hasPrefix("  - apiGroups:") }
            #expect(!rules.isEmpty, "\(file)")
            for index in rules { #expect(lines[index - 1].hasPrefix("  # "), "\(file): \(lines[index])") }
        }
    }
}
