internal import Crypto
internal import FoundationEssentials
public import Model
internal import Sources

/// What a spec names for the host of a repository, read from where it points. Keys of ssh are written to files, which it wants them in.
public struct RepositoryCredentials: Sendable {
    /// Reads a value; `what` begins the message of a problem.
    public typealias ValueReading = @Sendable (Configuration.Source, _ what: String) async -> Result<Secret, Problem>

    private let repository: MigrationRepository
    private let values: ValueReading
    /// A directory of its own, which nobody else may read.
    let home: String

    init(_ repository: MigrationRepository, under root: String, values: @escaping ValueReading) {
        self.repository = repository
        self.values = values
        let words = [
            repository.tenant ?? "", repository.url, "\(String(describing: repository.sshKey))",
            "\(String(describing: repository.knownHosts))",
        ]
        let name = SHA256.hash(data: Array(words.joined(separator: "\0").utf8)).prefix(8).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
        home = "\(Self.homes(under: root))/\(name)"
    }

    private static func homes(under root: String) -> String { "\(root)/git-access" }

    /// Removes what was written for repositories, except in some of the directories.
    static func removeHomes(under root: String, except used: Set<String>) {
        let homes = homes(under: root)
        do {
            for name in try FileManager.default.contentsOfDirectory(atPath: homes) where !used.contains("\(homes)/\(name)") {
                try FileManager.default.removeItem(atPath: "\(homes)/\(name)")
            }
        } catch {}  // There are none, or the next time removes them.
    }

    func credentials() async throws(SourceError) -> GitAccess.Credentials {
        var credentials = GitAccess.Credentials(user: repository.user)
        credentials.token = try await value(of: repository.token, "token")
        if let key = try await value(of: repository.sshKey, "sshKey") { credentials.keyFile = try write(key, "key") }
        if let hosts = try await value(of: repository.knownHosts, "knownHosts") {
            credentials.knownHostsFile = try write(hosts, "known_hosts")
        }
        return credentials
    }

    private func value(of source: Configuration.Source?, _ field: String) async throws(SourceError) -> String? {
        guard let source else { return nil }
        switch await values(source, "\(repository.name): migrations.git.\(field)") {
        case .success(let secret):
            let text = secret.reveal()
            return field == "token" ? String(text.prefix { !$0.isNewline }) : text
        case .failure(let problem): throw SourceError(.unreadable, problem.description)
        }
    }

    /// ssh refuses a key that others may read, and one without its last newline.
    private func write(_ text: String, _ name: String) throws(SourceError) -> String {
        let path = "\(home)/\(name)"
        let data = Data((text.hasSuffix("\n") ? text : text + "\n").utf8)
        if FileManager.default.contents(atPath: path) == data { return path }
        do {
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            guard FileManager.default.createFile(atPath: path, contents: data, attributes: [.posixPermissions: 0o600]) else {
                throw SourceError(.unreadable, "\(path): cannot be written; is the disk full?")
            }
            return path
        } catch {
            throw SourceError(.unreadable, "\(path): cannot be written; is the disk full?")
        }
    }
}
