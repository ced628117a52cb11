import Model
import Sources
import SpecLoading
import Testing

@testable import ControlLoop

struct WantedSystemTests {
    private func wanted(_ bytes: String, _ beside: [String: String], revision: String = "1") -> WantedSystem {
        let system = System(
            id: SystemID(name: "shop"),
            databases: [Database(name: "main", schema: "1", migrations: MigrationSettings(path: "specs/../db"))],
            origin: "specs/shop.yaml:1:1")
        let snapshot = Snapshot(
            revision: Revision(.digest, revision), files: [SourceFile(name: "specs/shop.yaml", bytes: Array(bytes.utf8))], beside: beside)
        return WantedSystem(system: system, snapshot: snapshot, origin: "")
    }

    @Test(arguments: [
        ("a", ["specs/../db": "one"], true, "another revision that says the same"),
        ("b", ["specs/../db": "one"], false, "its file"), ("a", ["specs/../db": "two"], false, "a migration"),
        ("a", [:], false, "what is not there any more"), ("a", ["specs/../db": "one", "other": "new"], true, "what another system reads"),
    ])
    func aSystemIsTheSameIfItsFileAndWhatItReadsAre(bytes: String, beside: [String: String], isSame: Bool, why: String) {
        let before = wanted("a", ["specs/../db": "one"])
        #expect(wanted(bytes, beside, revision: "2").isSame(as: before) == isSame, "\(why)")
    }

    @Test func anotherCommitWithTheSameMigrationsIsOnlyTold() {
        let repository = MigrationRepository(url: "https://git.example/db")
        func wanted(_ commit: String, _ tree: String, trouble: String? = nil) -> WantedSystem {
            let revision = Revision(.commit, commit)
            var snapshot = Snapshot(revision: Revision(.generation, "u/1"), files: [SourceFile(name: "default/shop", bytes: [1])])
            snapshot.repositories = [
                repository: RepositoryContent(
                    Snapshot(
                        revision: revision, files: [], trouble: trouble.map { SourceError(.gitFailed, $0) }, beside: ["": tree]),
                    of: repository)
            ]
            let system = System(
                id: SystemID(name: "shop"),
                databases: [Database(name: "main", schema: "1", migrations: MigrationSettings(path: "", git: repository))],
                origin: "default/shop:1:1")
            return WantedSystem(system: snapshot.completed(system), snapshot: snapshot, origin: "default/shop")
        }
        let before = wanted("one", "tree")
        #expect(wanted("one", "tree").isSame(as: before) && wanted("one", "tree").tellsSame(as: before))
        #expect(wanted("two", "tree").isSame(as: before) && !wanted("two", "tree").tellsSame(as: before))
        #expect(wanted("one", "tree", trouble: "away").isSame(as: before) && !wanted("one", "tree", trouble: "away").tellsSame(as: before))
        #expect(!wanted("two", "other").isSame(as: before))
    }
}
