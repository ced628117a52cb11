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
        pin = Self.position(of: reading.database.schema, stems, reading)
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

    private static func position(of pin: String, _ stems: [String], _ reading: SchemaReading) -> Int? {
        if pin == Database.emptySchema { return -1 }
        if let exact = stems.firstIndex(of: pin) { return exact }
        let numbered = stems.indices.filter {
            reading.file(stems[$0])?.number == pin || stems[$0].prefix { $0.isASCII && ($0.isNumber || $0 == ".") } == pin
        }
        return numbered.count == 1 ? numbered[0] : nil
    }
}
