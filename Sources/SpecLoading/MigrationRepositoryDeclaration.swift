import Model
import SpecFields

/// `spec.databases.NAME.migrations.git`.
enum MigrationRepositoryDeclaration {
    static let form = Form<MigrationRepository>.object { fields in
        MigrationRepository(
            url: fields.required(
                "url", .string(.repositoryURL),
                "Whatever Git can fetch from, without a password; in a cluster by HTTPS, SSH or Git's own protocol."),
            ref: fields.optional(
                "ref", .string(.repositoryRef), "A branch, a tag or a full commit id. Default: the repository's own branch."),
            path: fields.optional("path", .string(.repositoryPath), "The directory of the migrations in it. Default: its root.") ?? "",
            token: fields.optional("token", Configuration.Source.reference, "What is sent to an HTTPS host as the password."),
            user: fields.optional("user", .string(.repositoryUser), "The name that goes with the token, for hosts that look at it."),
            sshKey: fields.optional("sshKey", Configuration.Source.reference, "The private key that ssh shows, without a passphrase."),
            knownHosts: fields.optional(
                "knownHosts", Configuration.Source.form, "The keys of the hosts that ssh trusts, as lines of known_hosts."))
    }
}

extension MigrationRepository {
    /// With the paths of files as `resolve` makes them.
    func resolved(_ resolve: (String) -> String) -> MigrationRepository {
        var repository = self
        if isLocal, !url.hasPrefix("file://") { repository.url = resolve(url) }
        repository.token = token?.resolved(resolve)
        repository.sshKey = sshKey?.resolved(resolve)
        repository.knownHosts = knownHosts?.resolved(resolve)
        return repository
    }
}

extension StringRule {
    /// A URL, `user@host:path`, or a local path; as Git tells them apart.
    static let repositoryURL = StringRule(
        pattern:
            #"^([a-z][a-z0-9+]*://([^:/@?#%\\\s]+@)?[^/@?#%\\\s]*(/\S*)?|[^-:/?#%\[\\\s][^:/?#%\[\\\s]*:/?[^:/\s]\S*|[^-:\s][^:\s]*)$"#,
        hint: "the URL of a repository, without blanks and without a password: credentials are token or sshKey; and without ?, #, % and \\ "
            + "before the path"
    ) { text in
        guard let first = text.first, first != "-", !text.contains(where: \.isWhitespace) else { return false }
        if let mark = text.firstRange(of: "://"), isScheme(text[..<mark.lowerBound]) {
            let authority = text[mark.upperBound...].prefix { $0 != "/" }
            guard !authority.contains(where: { "?#%\\".contains($0) }) else { return false }
            let parts = authority.split(separator: "@", omittingEmptySubsequences: false)
            return parts.count == 1 || parts.count == 2 && !parts[0].isEmpty && !parts[0].contains(":")
        }
        guard let colon = text.firstIndex(of: ":") else { return true }
        let path = text[text.index(after: colon)...]
        let rest = path.first == "/" ? path.dropFirst() : path
        let host = text[..<colon]
        return !host.isEmpty && !host.contains { "/?#%[\\".contains($0) } && !rest.isEmpty && rest.first != "/" && rest.first != ":"
    }

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7A).contains(first) else { return false }
        return text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2B }
    }

    static let repositoryRef = StringRule(
        pattern: #"^[^-\s:^~?*\[\\][^\s:^~?*\[\\]*$"#, hint: "the name of a branch, a tag or a commit"
    ) { text in
        !text.isEmpty && !text.hasPrefix("-") && !text.contains { $0.isWhitespace || ":^~?*[\\".contains($0) }
    }

    static let repositoryPath = StringRule(
        pattern: #"^(\.|[^/.][^/]*|\.[^/.][^/]*|\.\.[^/]+)(/(\.|[^/.][^/]*|\.[^/.][^/]*|\.\.[^/]+))*/?$"#,
        hint: "a directory in the repository, relative to its root"
    ) { text in
        let parts = (text.hasSuffix("/") ? text.dropLast() : text[...]).split(separator: "/", omittingEmptySubsequences: false)
        return parts.allSatisfy { !$0.isEmpty && $0 != ".." }
    }

    static let repositoryUser = StringRule(pattern: #"^[^\s:@]+$"#, hint: "a name without blanks, ':' and '@'") { text in
        !text.isEmpty && !text.contains { $0.isWhitespace || ":@".contains($0) }
    }
}
