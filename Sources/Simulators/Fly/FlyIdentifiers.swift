/// Makes up identifiers of the vendor's forms, the same ones in every run.
struct FlyIdentifiers: Sendable {
    private static let crockford = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    private static let hexadecimal = Array("0123456789abcdef")
    private static let mixed = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    private var state: UInt64

    /// - Parameter seed: what has another seed gets other identifiers.
    init(seed: String) {
        state = seed.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    private mutating func letters(_ count: Int, of alphabet: [Character]) -> String {
        var text = ""
        for _ in 0..<count {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            text.append(alphabet[Int((state >> 33) % UInt64(alphabet.count))])
        }
        return text
    }

    /// 26 letters and digits, the first ten of them the time: as instances, events and requests have them.
    mutating func ulid(at now: Int64) -> String {
        var rest = UInt64(max(0, now))
        var time: [Character] = []
        for _ in 0..<10 {
            time.append(Self.crockford[Int(rest % 32)])
            rest /= 32
        }
        return String(time.reversed()) + letters(16, of: Self.crockford)
    }

    /// 14 hexadecimal digits.
    mutating func machine() -> String { letters(14, of: Self.hexadecimal) }

    /// 12 hexadecimal digits, of a lease.
    mutating func nonce() -> String { letters(12, of: Self.hexadecimal) }

    mutating func release() -> String { letters(25, of: Self.mixed) }

    /// The digest of what has this name.
    static func digest(_ name: String) -> String {
        var identifiers = FlyIdentifiers(seed: name)
        return "sha256:" + identifiers.letters(64, of: hexadecimal)
    }

    /// The digest of a secret: says whether two are equal, and nothing else.
    static func secretDigest(_ name: String, _ value: String) -> String {
        var identifiers = FlyIdentifiers(seed: "\(name)=\(value)")
        return identifiers.letters(16, of: hexadecimal)
    }
}
