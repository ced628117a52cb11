import FoundationEssentials

/// Files that a test makes, in a folder of this process.
enum TemporaryFile {
    static let folder = FileManager.default.temporaryDirectory.appending(
        path: "belay-kubernetes-tests-\(ProcessInfo.processInfo.processIdentifier)")

    static func write(_ text: String, named name: String, isProgram: Bool = false) throws -> String {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appending(path: name)
        // Written elsewhere and moved: tests run side by side, and a reader must never see half of it.
        try Data(text.utf8).write(to: file, options: .atomic)
        if isProgram { try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: file.path) }
        return file.path
    }
}
