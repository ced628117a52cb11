import SystemPackage

/// The program's own output. A reader that has gone away is no reason to stop.
enum Console {
    static func output(_ text: String) { write(text, to: .standardOutput) }

    /// A line on standard error.
    static func note(_ line: String) { write(line + "\n", to: .standardError) }

    private static func write(_ text: String, to descriptor: FileDescriptor) {
        do { try descriptor.writeAll(text.utf8) } catch { return }
    }
}

extension String {
    /// As a word of a POSIX shell.
    var shellQuoted: String {
        let isPlain =
            !isEmpty
            && utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x2D...0x3A).contains(byte) || byte == 0x5F
            }
        return isPlain ? self : "'" + replacing("'", with: #"'\''"#) + "'"
    }
}
