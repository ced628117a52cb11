public import Model
public import SpecFields

/// What some files hold.
public struct LoadResult: Sendable {
    /// In the order of the files. Only documents without a mistake; to be applied only when `diagnostics` is empty, because half a commit
    /// must never be applied.
    public var systems: [System]
    /// Every mistake of every file, sorted by place.
    public var diagnostics: [Diagnostic]
    /// What was passed over, in words.
    public var notes: [String]

    public init(systems: [System] = [], diagnostics: [Diagnostic] = [], notes: [String] = []) {
        self.systems = systems
        self.diagnostics = diagnostics
        self.notes = notes
    }
}
