#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

extension StateDirectory {
    /// Holds the key of keyed hashes, 64 hexadecimal digits, for its owner alone.
    var key: String { path + "/key" }

    /// The key, 32 bytes; nil when there is none yet.
    func readKey() throws(StateError) -> [UInt8]? {
        guard let file = try OpenFile.existing(key, O_RDONLY) else { return nil }
        let digits = try file.contents().prefix(64).compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        let bytes = zip(digits, digits.dropFirst()).enumerated().compactMap { index, pair in
            index.isMultiple(of: 2) ? UInt8(truncatingIfNeeded: pair.0 << 4 | pair.1) : nil
        }
        guard digits.count == 64 else {
            throw StateError(
                .failed, "\(key) is not a key of 64 hexadecimal digits",
                next: "restore it from a backup; or remove it, then configuration values are compared anew", path: key)
        }
        return bytes
    }

    /// The key; made now if there is none. Two processes that make one at once end with the same.
    func makeKey() throws(StateError) -> [UInt8] {
        if let present = try readKey() { return present }
        try create()
        let bytes = (0..<4).flatMap { _ in
            withUnsafeBytes(of: UInt64.random(in: .min ... .max)) { Array($0) }
        }
        let temporary = "\(key).\(getpid()).\(UInt32.random(in: .min ... .max))"
        let text = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() + "\n"
        let file = try OpenFile(temporary, O_WRONLY | O_CREAT | O_EXCL)
        try file.write(Array(text.utf8))
        try file.synchronize()
        // A link never replaces what is there.
        let reason = link(temporary, key) == 0 ? 0 : errno
        unlink(temporary)
        guard reason == 0 || reason == EEXIST else { throw StateError(errno: reason, "cannot make \(key)", path: key) }
        try Self.synchronize(path)
        return try readKey() ?? bytes
    }
}
