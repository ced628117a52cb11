import MigrationFiles
import Model

/// Which migrations a plan may lead through: a script is looked at closely only there. What the plan then really does is the planner's.
struct MigrationPath: Sendable {
    private(set) var ups: Set<String> = []
    private(set) var downs: Set<String> = []
    /// Nil: the pin names nothing that is known, or more than one migration.
    let pin: Int?

    init(_ reading: SchemaReading) {
        let stems = reading.stems
        pin = reading.pin
        let settings = reading.database.migrations
        for stem in settings.revert where reading.applied(stem) != nil && reading.file(stem) == nil { downs.insert(stem) }
        guard let pin else { return }
        let standing = stems.indices.filter { reading.applied(stems[$0]) != nil }
        for position in standing where position > pin { downs.insert(stems[position]) }
        let missing = stems.indices.filter { $0 <= pin && reading.applied(stems[$0]) == nil }
        ups = Set(missing.map { stems[$0] })
        guard settings.outOfOrder == .rebase, let first = missing.first else { return }
        for position in standing where position > first {
            downs.insert(stems[position])
            if position <= pin, reading.file(stems[position]) != nil { ups.insert(stems[position]) }
        }
    }
}
