internal import Crypto

/// What keeps an archived script from being run when somebody else wrote it: it will run with the rights to change the schema.
public enum ArchiveSignature {
    /// HMAC-SHA256 over version, hash of the up script, hash of the down script and commit, each with its length before it; hexadecimal.
    /// What is missing differs from what is empty.
    public static func sign(_ row: ArchiveRow, key: [UInt8]) -> String {
        Array(HMAC<SHA256>.authenticationCode(for: message(row), using: SymmetricKey(data: key))).hexadecimal
    }

    /// True if the row was signed with this key, and its scripts are those that were signed.
    public static func isSigned(_ row: ArchiveRow, key: [UInt8]) -> Bool {
        guard let code = [UInt8](hexadecimal: row.signature), row.upSQL.map(hash) == row.upHash, row.downSQL.map(hash) == row.downHash
        else {
            return false
        }
        return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: message(row), using: SymmetricKey(data: key))
    }

    /// SHA-256 of a script, hexadecimal.
    public static func hash(_ script: String) -> String { Array(SHA256.hash(data: Array(script.utf8))).hexadecimal }

    private static func message(_ row: ArchiveRow) -> [UInt8] {
        var bytes: [UInt8] = []
        for field in [row.version, row.upHash, row.downHash, row.sourceCommit] {
            guard let field else {
                bytes.append(0)
                continue
            }
            bytes.append(1)
            withUnsafeBytes(of: UInt64(field.utf8.count).bigEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: field.utf8)
        }
        return bytes
    }
}

extension ArchiveRow {
    /// The same row with its hashes computed from its scripts, and signed.
    public func signed(_ key: [UInt8]) -> ArchiveRow {
        var row = self
        row.upHash = upSQL.map(ArchiveSignature.hash)
        row.downHash = downSQL.map(ArchiveSignature.hash)
        row.signature = ArchiveSignature.sign(row, key: key)
        return row
    }
}
