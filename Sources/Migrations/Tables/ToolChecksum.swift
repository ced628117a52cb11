import Crypto

/// The checksums that tools keep of a migration's file, each as its tool computes it.
enum ToolChecksum {
    /// MD5 of everything before the first `-- DOWN MIGRATION`, wherever that stands, without the blanks around it.
    static func runbook(_ bytes: [UInt8]) -> String {
        let text = String(decoding: unixLines(bytes), as: UTF8.self)
        let scalars = Array(text.unicodeScalars)
        let end = scalars.indices.first { isDownMarker(scalars[$0...]) } ?? scalars.endIndex
        var part = scalars[..<end]
        while part.first?.properties.isWhitespace == true { part.removeFirst() }
        while part.last?.properties.isWhitespace == true { part.removeLast() }
        var stripped = String.UnicodeScalarView()
        stripped.append(contentsOf: part)
        return Array(Insecure.MD5.hash(data: Array(String(stripped).utf8))).hexadecimal
    }

    /// SHA-384 of the file.
    static func sqlx(_ bytes: [UInt8]) -> [UInt8] { Array(SHA384.hash(data: bytes)) }

    /// CRC-32 over the lines without their ends, as a signed number; a byte order mark does not count.
    static func flyway(_ bytes: [UInt8]) -> Int32 {
        var register: UInt32 = 0xFFFF_FFFF
        for byte in bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...] where byte != 0x0A && byte != 0x0D {
            register ^= UInt32(byte)
            for _ in 0..<8 { register = register & 1 == 1 ? (register >> 1) ^ 0xEDB8_8320 : register >> 1 }
        }
        return Int32(bitPattern: ~register)
    }

    /// Whether a file is what the tool recorded; nil where it recorded nothing that tells. Another checkout's line ends are no difference.
    /// - Parameter recorded: as text; bytes as hexadecimal digits.
    static func agrees(_ bytes: [UInt8], with recorded: String?, kind: TableKind) -> Bool? {
        guard let recorded, !recorded.isEmpty, !bytes.isEmpty else { return nil }
        switch kind {
        case .runbook: return runbook(bytes) == recorded.lowercased()
        case .flyway: return String(flyway(bytes)) == recorded
        case .sqlx:
            let unix = unixLines(bytes)
            let windows = unix.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
            return [bytes, unix, windows].contains { sqlx($0).hexadecimal == recorded.lowercased() }
        default: return nil
        }
    }

    private static func unixLines(_ bytes: [UInt8]) -> [UInt8] {
        bytes.indices.filter { !(bytes[$0] == 0x0D && $0 + 1 < bytes.count && bytes[$0 + 1] == 0x0A) }.map { bytes[$0] }
    }

    /// `--\s*DOWN\s+MIGRATION`, in any case.
    private static func isDownMarker(_ text: ArraySlice<Unicode.Scalar>) -> Bool {
        var rest = text
        func take(_ word: String) -> Bool {
            let wanted = Array(word.unicodeScalars)
            guard rest.count >= wanted.count,
                zip(rest, wanted).allSatisfy({ $0 == $1 || $0.properties.uppercaseMapping == String($1) })
            else { return false }
            rest = rest.dropFirst(wanted.count)
            return true
        }
        guard take("--") else { return false }
        rest = rest.drop { $0.properties.isWhitespace }
        guard take("DOWN"), rest.first?.properties.isWhitespace == true else { return false }
        rest = rest.drop { $0.properties.isWhitespace }
        return take("MIGRATION")
    }
}
