import CCurl
import Glibc

/// Where the system's certificate authorities are.
///
/// libcurl's own default names a bundle and a directory together, which makes it parse the whole bundle for every host:
/// 21 to 40 ms of CPU each. A hashed directory alone costs 3 to 5 ms once; a bundle alone is cached.
struct Authorities: Equatable {
    var file: String?
    var directory: String?

    /// For messages.
    var description: String { [file, directory].compactMap(\.self).joined(separator: " and ") }

    static func system() -> Authorities {
        let version = curl_built_with()?.pointee
        let built = Authorities(file: version?.cainfo.map { String(cString: $0) }, directory: version?.capath.map { String(cString: $0) })
        return choose(
            named: Authorities(file: variable("SSL_CERT_FILE"), directory: variable("SSL_CERT_DIR")),
            built: built, isHashedDirectory: isHashedDirectory, isFile: { access($0, R_OK) == 0 })
    }

    /// Pure, for tests. What the environment names is taken as it is, so that a mistake there shows.
    static func choose(
        named: Authorities, built: Authorities, isHashedDirectory: (String) -> Bool, isFile: (String) -> Bool
    ) -> Authorities {
        guard named.file == nil, named.directory == nil else { return named }
        let directories = [built.directory, "/etc/ssl/certs", "/etc/pki/tls/certs"].compactMap(\.self)
        if let directory = directories.first(where: isHashedDirectory) { return Authorities(directory: directory) }
        let files = [built.file, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"]
        return Authorities(file: files.compactMap(\.self).first(where: isFile) ?? built.file)
    }

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty else { return nil }
        return value
    }

    /// True if OpenSSL can look a certificate up there by the hash of its name (`3513523f.0`).
    static func isHashedDirectory(_ path: String) -> Bool {
        guard let directory = opendir(path) else { return false }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if isHashedName(name) { return true }
        }
        return false
    }

    static func isHashedName(_ name: [UInt8]) -> Bool {
        guard name.count >= 10, name[8] == UInt8(ascii: ".") else { return false }
        let isHex = name[..<8].allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        return isHex && name[9...].allSatisfy { (0x30...0x39).contains($0) }
    }
}
