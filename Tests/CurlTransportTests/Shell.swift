import Glibc

/// Runs `/bin/sh` for what the tests set up: certificates, nginx.
enum Shell {
    static func has(_ program: String) -> Bool {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        return (path + ":/usr/sbin").split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }

    /// What the script wrote to its output; nil if it failed.
    static func output(_ script: String) -> [UInt8]? {
        guard let process = popen("exec 2>/dev/null; PATH=$PATH:/usr/sbin; " + script, "re") else { return nil }
        var result: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&bytes, 1, bytes.count, process)
            guard count > 0 else { break }
            result += bytes[..<count]
        }
        return pclose(process) == 0 ? result : nil
    }

    static func file(_ path: String) -> [UInt8] { output("cat \(path)") ?? [] }
}
