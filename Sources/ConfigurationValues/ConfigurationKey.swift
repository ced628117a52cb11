internal import Crypto
internal import FoundationEssentials
public import Model
public import ProviderKit

/// The operator's or the state store's secret behind everything that is remembered of configuration values.
///
/// Fingerprints are HMAC-SHA-256 over key and value, so that equal values of different keys do not look equal. Sealed values are
/// ChaCha20-Poly1305 with a nonce derived from key and value: the same value seals to the same text, which tells its length and no more than
/// its fingerprint.
public struct ConfigurationKey: Sendable {
    private let hashing: SymmetricKey
    private let nonces: SymmetricKey
    private let sealing: SymmetricKey?
    /// Stands behind every fingerprint, so that one that was made with another key is recognised.
    private let mark: String

    /// - Parameters:
    ///   - bytes: 32 of them or more.
    ///   - seals: whether the operator holds the key, so that values may be kept sealed with it. Never with a key that lies beside them.
    public init(_ bytes: [UInt8], seals: Bool) {
        let root = SymmetricKey(data: bytes)
        func derived(_ purpose: String) -> SymmetricKey {
            HKDF<SHA256>.deriveKey(inputKeyMaterial: root, info: Data("belay/\(purpose)".utf8), outputByteCount: 32)
        }
        hashing = derived("fingerprint")
        nonces = derived("nonce")
        sealing = seals ? derived("seal") : nil
        signing = derived("archive").withUnsafeBytes { Array($0) }
        mark = "." + Self.hexadecimal(Self.mac("", Secret("mark"), derived("mark")).prefix(4))
    }

    /// The environment variable that holds the operator's key: 32 bytes or more in base64.
    public static let variable = "BELAY_KEY"

    /// The operator's key; nil when none is set.
    public static func fromEnvironment(_ variables: [String: String]) throws(Problem) -> ConfigurationKey? {
        guard let text = variables[variable]?.filter({ !$0.isWhitespace }), !text.isEmpty else { return nil }
        guard let bytes = Data(base64Encoded: text), bytes.count >= 32 else {
            throw Problem(
                "KeyUnusable", "\(variable) is not 32 bytes or more in base64",
                next: "set the one that was used before; a first one is made with: head -c 32 /dev/urandom | base64")
        }
        return ConfigurationKey(Array(bytes), seals: true)
    }

    /// What scripts that a database keeps are signed with. Derived: who has it learns nothing of the values.
    public let signing: [UInt8]

    /// True if values are kept sealed, so that they can be brought back.
    public var canSeal: Bool { sealing != nil }

    public func fingerprint(_ key: String, _ value: Secret) -> String {
        Self.hexadecimal(Self.mac(key, value, hashing).prefix(16)) + mark
    }

    /// True if the fingerprint was made with this key: no other can be compared with its own.
    public func made(_ fingerprint: String) -> Bool { fingerprint.hasSuffix(mark) }

    public var keeper: ConfigurationKeeper {
        ConfigurationKeeper { key, value in
            ConfigurationEntry(fingerprint: fingerprint(key, value), sealed: seal(key, value))
        }
    }

    private func seal(_ key: String, _ value: Secret) -> String? {
        // Twelve bytes are a nonce, and sealing with one does not fail. If it did, the value would not be kept.
        guard let sealing, let nonce = try? ChaChaPoly.Nonce(data: Self.mac(key, value, nonces).prefix(12)) else { return nil }
        return try? ChaChaPoly.seal(Data(value.reveal().utf8), using: sealing, nonce: nonce, authenticating: Data(key.utf8))
            .combined.base64EncodedString()
    }

    /// The value; nil when it was sealed with another key, for another name, or was tampered with.
    public func open(_ key: String, _ sealed: String) -> Secret? {
        // Why it cannot be opened makes no difference: it is not a value that this key sealed for this name.
        guard let sealing, let data = Data(base64Encoded: sealed), let box = try? ChaChaPoly.SealedBox(combined: data),
            let bytes = try? ChaChaPoly.open(box, using: sealing, authenticating: Data(key.utf8))
        else { return nil }
        return Secret(String(decoding: bytes, as: UTF8.self))
    }

    private static func mac(_ key: String, _ value: Secret, _ secret: SymmetricKey) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Data((key + "\0" + value.reveal()).utf8), using: secret))
    }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
