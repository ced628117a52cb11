/// Which system: its namespace and name, unique in one state store.
public struct SystemID: Sendable, Hashable, Codable, Comparable, CustomStringConvertible {
    public var namespace: String
    public var name: String

    public init(namespace: String = "default", name: String) {
        self.namespace = namespace
        self.name = name
    }

    /// `namespace/name`.
    public var description: String { "\(namespace)/\(name)" }

    public static func < (left: SystemID, right: SystemID) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}

/// One thing with a pin, for instance `component/web`. As text, also as a key in JSON: `kind/name`.
public struct ResourceID: Sendable, Hashable, Comparable, CustomStringConvertible, LosslessStringConvertible {
    public enum Kind: String, Sendable, CaseIterable {
        case component, database, flag
    }

    public var kind: Kind
    public var name: String

    public init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    public static func component(_ name: String) -> ResourceID { ResourceID(.component, name) }
    public static func database(_ name: String) -> ResourceID { ResourceID(.database, name) }
    public static func flag(_ name: String) -> ResourceID { ResourceID(.flag, name) }

    public init?(_ description: String) {
        guard let slash = description.firstIndex(of: "/"), let kind = Kind(rawValue: String(description[..<slash])) else { return nil }
        self.init(kind, String(description[description.index(after: slash)...]))
    }

    public var description: String { "\(kind.rawValue)/\(name)" }

    /// The name tells almost everything apart; hashing the kind's text as well would double the cost of every lookup.
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }

    public static func < (left: ResourceID, right: ResourceID) -> Bool {
        (left.kind.rawValue, left.name) < (right.kind.rawValue, right.name)
    }
}

extension ResourceID: Codable, CodingKeyRepresentable {
    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    public var codingKey: any CodingKey { Key(stringValue: description) }

    public init?<T: CodingKey>(codingKey: T) { self.init(codingKey.stringValue) }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = ResourceID(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected a resource such as component/web")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
