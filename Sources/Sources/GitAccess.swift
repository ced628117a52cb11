/// How a repository is reached: what the environment says of keys and tokens, as variables for git.
public struct GitAccess: Sendable {
    /// The environment variable with the private key that ssh shows, as a file.
    public static let keyVariable = "BELAY_GIT_SSH_KEY_FILE"
    /// The one with the hosts whose keys ssh trusts, as a file; no other host is spoken to then.
    public static let knownHostsVariable = "BELAY_GIT_KNOWN_HOSTS_FILE"

    /// For git's environment; nil takes one away.
    let variables: [String: String?]
    /// True if a token is there for HTTPS.
    let hasToken: Bool

    /// How git is to run ssh; nil leaves that to git.
    public var sshCommand: String? { variables["GIT_SSH_COMMAND"] ?? nil }

    /// Nothing but git's own.
    public init() {
        variables = Self.quiet([:])
        hasToken = false
    }

    /// Refuses what contradicts itself: two ways to say how ssh is run, a key file that is not there.
    ///
    /// - Parameter environment: the process's.
    public init(environment: [String: String]) throws(SourceError) {
        var variables = Self.quiet(environment)
        let (key, hosts) = (Self.given(Self.keyVariable, environment), Self.given(Self.knownHostsVariable, environment))
        if key != nil || hosts != nil {
            for name in ["GIT_SSH_COMMAND", "GIT_SSH"] where Self.given(name, environment) != nil {
                let own = key != nil ? Self.keyVariable : Self.knownHostsVariable
                throw SourceError(.refused, "\(own) and \(name) both say how ssh is run; set one of them")
            }
            for (name, path) in [(Self.keyVariable, key), (Self.knownHostsVariable, hosts)] {
                guard let path, !Git.exists(path) else { continue }
                throw SourceError(.notFound, "\(name) names \(path), and there is no such file; is the Secret mounted there?")
            }
            var words = ["ssh", "-o BatchMode=yes", "-o ConnectTimeout=20", "-o StrictHostKeyChecking=yes"]
            // A key that is named is the one that is shown, whatever an agent holds.
            if let key { words += ["-o IdentitiesOnly=yes", "-o IdentityFile=\(Self.quoted(key))"] }
            if let hosts { words += ["-o UserKnownHostsFile=\(Self.quoted(hosts))", "-o GlobalKnownHostsFile=/dev/null"] }
            variables["GIT_SSH_COMMAND"] = words.joined(separator: " ")
        }
        self.variables = variables
        hasToken = Self.given(GitAddress.tokenVariable, environment) != nil
    }

    private static func given(_ name: String, _ environment: [String: String]) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Variables of a hook would lead git to another repository; and no question may wait for somebody at a terminal.
    private static func quiet(_ environment: [String: String]) -> [String: String?] {
        var variables: [String: String?] = ["SSH_ASKPASS_REQUIRE": "force"]
        for (name, value) in [("SSH_ASKPASS", "false"), ("GIT_ASKPASS", "")] where environment[name] == nil { variables[name] = value }
        for name in [
            "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        ] {
            variables[name] = .some(nil)
        }
        return variables
    }

    /// As one word for the shell that git gives the command to; and within it for ssh, which reads blanks in a value as its end.
    private static func quoted(_ path: String) -> String {
        let path = path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "'\"" + path.replacing("'", with: "'\\''") + "\"'"
    }
}
