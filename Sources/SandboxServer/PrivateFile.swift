import FoundationEssentials

/// Files that hold credentials.
public enum PrivateFile {
    /// Writes a file that only its owner can read. Whoever waits for the file to appear finds it whole.
    public static func write(_ text: String, to path: String) throws(SandboxError) {
        let unfinished = "\(path).\(UInt32.random(in: .min ... .max)).tmp"
        do {
            // Empty until nobody else can open it.
            try Data().write(to: URL(filePath: unfinished), options: .withoutOverwriting)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: unfinished)
            try Data(text.utf8).write(to: URL(filePath: unfinished))
            try remove(path)
            try FileManager.default.moveItem(atPath: unfinished, toPath: path)
        } catch { throw SandboxError(.write, "cannot write \(path): \(error)") }
    }

    /// Removes a file; one that does not exist is no error.
    public static func remove(_ path: String) throws(SandboxError) {
        guard FileManager.default.fileExists(atPath: path) else { return }
        do { try FileManager.default.removeItem(atPath: path) } catch { throw SandboxError(.write, "cannot remove \(path): \(error)") }
    }
}
