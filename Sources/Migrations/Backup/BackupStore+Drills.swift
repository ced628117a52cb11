internal import FoundationEssentials
public import Model

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// The reports of drills, one for each database.
extension BackupStore {
    /// Keeps the report of the last drill of a database, for ``lastDrill(_:)``.
    func record(_ report: DrillReport, of database: String) async throws(Problem) {
        let bytes: [UInt8]
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
            bytes = try Array(encoder.encode(report))
        } catch {
            throw Problem("DrillFailed", "the report of the drill cannot be written as JSON", next: "report this as a bug of Belay")
        }
        try await thread.run { () throws(Problem) in try replace(drillPath(database), bytes) }
    }

    /// The report of the last drill of a database; nil when there is none that can be read.
    public func lastDrill(_ database: String) async throws(Problem) -> DrillReport? {
        try await thread.run { () throws(Problem) in
            guard Files.exists(drillPath(database)) else { return nil }
            let bytes = try BackupFile(drillPath(database), O_RDONLY).contents(limit: Self.manifestLimit)
            return try? JSONDecoder().decode(DrillReport.self, from: Data(bytes))  // Of another version: there is none for this one.
        }
    }

    private func drillPath(_ database: String) -> String { "\(path)/drill-\(Self.encoded(database)).json" }
}
