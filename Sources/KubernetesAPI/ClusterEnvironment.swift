import FoundationEssentials
public import Model

/// What the client needs of the process around it. Tests replace it.
public struct ClusterEnvironment: Sendable {
    public var variables: [String: String]
    /// The whole content of a file; nil when there is none. Throws what the system says of one that cannot be read.
    public var read: @Sendable (String) throws -> [UInt8]?
    /// The time by which a credential's expiry is judged.
    public var now: @Sendable () -> Timestamp

    public init(
        variables: [String: String], now: @escaping @Sendable () -> Timestamp,
        read: @escaping @Sendable (String) throws -> [UInt8]? = ClusterEnvironment.readFile
    ) {
        self.variables = variables
        self.read = read
        self.now = now
    }

    /// A variable that is set and not empty.
    func variable(_ name: String) -> String? {
        guard let value = variables[name], !value.isEmpty else { return nil }
        return value
    }

    func file(_ path: String, _ purpose: String) throws(KubernetesError) -> [UInt8] {
        let content: [UInt8]?
        do { content = try read(path) } catch {
            throw KubernetesError(.configuration, "\(purpose): \(path) cannot be read: \(Self.words(error))")
        }
        guard let content else { throw KubernetesError(.configuration, "\(purpose): \(path) does not exist") }
        return content
    }

    static func words(_ error: any Error) -> String {
        guard let cocoa = error as? CocoaError else { return "\(error)" }
        return switch cocoa.code {
        case .fileReadNoPermission: "permission denied"
        case .fileReadTooLarge: "it is too large"
        default: "\(cocoa.code)"
        }
    }

    /// From the file system.
    public static let readFile: @Sendable (String) throws -> [UInt8]? = { path in
        do {
            return Array(try Data(contentsOf: URL(filePath: path)))
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile || error.code == .fileNoSuchFile {
            return nil
        }
    }
}

extension String {
    /// The bytes that base64 stands for, white space ignored.
    var base64Decoded: [UInt8]? {
        Data(base64Encoded: self, options: .ignoreUnknownCharacters).map(Array.init)
    }
}

extension [UInt8] {
    var base64Encoded: String { Data(self).base64EncodedString() }
}
