/// One change of a spec: the value at a path is set, or taken out.
public struct SpecEdit: Sendable, Hashable {
    public enum Change: Sendable, Hashable {
        case set(EditedValue)
        /// The key goes with its value. Nothing changes where it is not there.
        case remove
    }

    /// The keys from the document's root: `spec`, `components`, `api`, `release`. What is missing on the way is made.
    public var path: [String]
    public var change: Change

    public init(_ path: [String], _ change: Change) {
        self.path = path
        self.change = change
    }

    public static func set(_ path: String..., to value: EditedValue) -> SpecEdit { SpecEdit(path, .set(value)) }
    public static func remove(_ path: String...) -> SpecEdit { SpecEdit(path, .remove) }

    /// `spec.components.api.release`.
    public var place: String { path.joined(separator: ".") }
}

/// A value to be written into a spec.
public indirect enum EditedValue: Sendable, Hashable {
    /// Gets quotes where it would otherwise be read as something else: `1.10`, `yes`, `null`.
    case text(String)
    case bool(Bool)
    case integer(Int)
    case mapping([Entry])

    public struct Entry: Sendable, Hashable {
        public var key: String
        public var value: EditedValue

        public init(_ key: String, _ value: EditedValue) {
            self.key = key
            self.value = value
        }
    }
}
