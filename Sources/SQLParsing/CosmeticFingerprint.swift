internal import Crypto

extension SQLScript {
    /// The same for two scripts that differ in blanks, comments, line ends, empty statements and the case of keywords and unquoted names
    /// only; nil for what cannot be parsed.
    ///
    /// It is taken over the tokens. Line ends count within constants, but not within `$$…$$`, where the bodies of functions stand.
    public static func cosmeticFingerprint(_ script: String, dialect: SQLDialect) -> String? {
        guard let parsed = try? parsed(script, dialect: dialect) else { return nil }  // What cannot be parsed has none.
        var hash = SHA256()
        for range in parsed.ranges {
            for token in parsed.tokens[range] {
                hash.update(data: parsed.script.significantBytes(of: token))
                hash.update(data: [0])
            }
            hash.update(data: [0])
        }
        let digits = Array("0123456789abcdef")
        return String(hash.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}

extension ScriptBytes {
    fileprivate func significantBytes(of token: SQLToken) -> [UInt8] {
        let text = bytes[token.range]
        switch token.kind {
        case .word: return text.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        case .string where text.first == UInt8(ascii: "$"):
            return text.indices.filter { text[$0] != 0x0D || bytes[$0 + 1] != 0x0A }.map { text[$0] }
        default: return Array(text)
        }
    }
}
