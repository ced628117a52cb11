/// What the spec fixes for a component's release, as its author wrote it.
public enum Pin: Sendable, Hashable {
    /// A scalar: matched exactly as a provider id, then a version, tag or digest, then a commit of at least seven digits.
    case name(String)
    case commit(String)
    case image(String)
    case revision(Int)
    case deployment(String)
}

extension Pin: CustomStringConvertible {
    /// For people: `v1.41.3`, `commit 3f2c1ab`, `revision 12`.
    public var description: String {
        switch self {
        case .name(let name): name
        case .commit(let commit): "commit \(commit)"
        case .image(let image): "image \(image)"
        case .revision(let revision): "revision \(revision)"
        case .deployment(let deployment): "deployment \(deployment)"
        }
    }
}

extension Pin: Codable {
    private enum Key: String, CodingKey { case commit, image, revision, deployment }

    /// A string for a scalar pin, a map with one key for the others: as in a spec.
    public init(from decoder: any Decoder) throws {
        if let name = try? decoder.singleValueContainer().decode(String.self) {  // Failing here only means: it is a map.
            self = .name(name)
            return
        }
        let container = try decoder.container(keyedBy: Key.self)
        switch container.allKeys.first {
        case .commit: self = .commit(try container.decode(String.self, forKey: .commit))
        case .image: self = .image(try container.decode(String.self, forKey: .image))
        case .revision: self = .revision(try container.decode(Int.self, forKey: .revision))
        case .deployment: self = .deployment(try container.decode(String.self, forKey: .deployment))
        case nil: throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "expected a pin"))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .name(let name):
            var container = encoder.singleValueContainer()
            try container.encode(name)
        case .commit(let commit): try encode(commit, .commit, to: encoder)
        case .image(let image): try encode(image, .image, to: encoder)
        case .revision(let revision): try encode(revision, .revision, to: encoder)
        case .deployment(let deployment): try encode(deployment, .deployment, to: encoder)
        }
    }

    private func encode(_ value: some Encodable, _ key: Key, to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(value, forKey: key)
    }
}
