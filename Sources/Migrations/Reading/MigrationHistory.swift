public import MigrationFiles

/// Where down scripts are looked for that neither the source nor the database has any more.
public protocol MigrationHistory: Sendable {
    /// True if the history at hand is not all of it: what is not found may be further back.
    var isShallow: Bool { get async }

    /// The down script of a migration as a commit has it whose up script is the one that was applied; nil when there is none.
    /// - Parameters:
    ///   - path: of the up part, relative to the directory of migrations, where it is known.
    ///   - upHash: SHA-256 of the up script that was applied, hexadecimal, where it is known.
    func down(of version: String, path: String?, upHash: String?) async -> (script: MigrationScript, commit: String)?
}
