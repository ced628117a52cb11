/// How a repository is reached: what the environment says of keys and tokens, as variables for git.
public struct GitAccess: Sendable {
    /// The environment variable with the private key that ssh shows, as a file.
    public static let keyVariable = "BELAY_GIT_SSH_KEY_FILE"
    /// The one with the hosts whose keys ssh trusts, as a file; no other host is spoken to then.
    public static let knownHostsVariable = "BELAY_GIT_KNOWN_HOSTS_FILE"

    /// For git's environment; nil takes one away.
    let variables: [String: String?]
    /// Where the token for HTTPS is in that environment, and the name that goes with it; nil where there is none.
    let token: (variable: String, user: String)?
    /// True if a host is shown nothing but what was given for it.
    let isConfined: Bool
    /// What people give a token, a key and known hosts with, for advice.
    let names: Names

    struct Names: Sendable {
        var token = GitAddress.tokenVariable
        var key = GitAccess.keyVariable
        var knownHosts = GitAccess.knownHostsVariable
    }

    /// Credentials for one repository.
    public struct Credentials: Sendable, Hashable {
        /// For HTTPS, and the name that goes with it.
        public var token: String?
        public var user: String?
        /// What ssh shows, and the hosts that it trusts, as files.
        public var keyFile: String?
        public var knownHostsFile: String?

        public init(token: String? = nil, user: String? = nil, keyFile: String? = nil, knownHostsFile: String? = nil) {
            self.token = token
            self.user = user
            self.keyFile = keyFile
            self.knownHostsFile = knownHostsFile
        }
    }

    /// How git is to run ssh; nil leaves that to git.
    public var sshCommand: String? { variables["GIT_SSH_COMMAND"] ?? nil }

    /// Nothing but git's own.
    public init() {
        variables = Self.quiet([:])
        token = nil
        isConfined = false
        names = Names()
    }

    /// With credentials that the spec names for a repository of migrations.
    ///
    /// - Parameters:
    ///   - isConfined: whether the host is shown nothing else: no token, key or credential helper of whoever runs this.
    ///   - place: an empty directory, which such a git takes for its home.
    ///   - environment: the process's.
    public init(
        _ credentials: Credentials, isConfined: Bool, home place: String, environment: [String: String]
    ) throws(SourceError) {
        var variables: [String: String?]
        var token: (variable: String, user: String)?
        let hosts = credentials.knownHostsFile ?? Self.given(Self.knownHostsVariable, environment)
        if isConfined {
            variables = Self.confined(home: place, environment)
            let hidden = ["-F /dev/null", "-o IdentitiesOnly=yes", "-o IdentityAgent=none"]
            variables["GIT_SSH_COMMAND"] = Self.command(key: credentials.keyFile ?? "none", hosts: hosts, hidden)
        } else {
            let usual = try GitAccess(environment: environment)
            (variables, token) = (usual.variables, usual.token)
            if credentials.keyFile != nil || credentials.knownHostsFile != nil {
                let key = credentials.keyFile ?? Self.given(Self.keyVariable, environment)
                variables["GIT_SSH_COMMAND"] = Self.command(key: key, hosts: hosts, ["-o IdentitiesOnly=yes"])
            }
        }
        if let given = credentials.token {
            variables[Self.ownToken] = given
            variables[Self.ownUser] = credentials.user ?? "belay"
            token = (Self.ownToken, Self.ownUser)
        }
        self.variables = variables
        self.token = token
        self.isConfined = isConfined
        names = Names(token: "migrations.git.token", key: "migrations.git.sshKey", knownHosts: "migrations.git.knownHosts")
    }

    /// Set for git alone, and never by whoever runs this.
    private static let (ownToken, ownUser) = ("BELAY_MIGRATIONS_GIT_TOKEN", "BELAY_MIGRATIONS_GIT_USER")

    /// Without what git, ssh or curl would find of whoever runs this. Proxies and certificate authorities stay.
    private static func confined(home place: String, _ environment: [String: String]) -> [String: String?] {
        var variables: [String: String?] = [:]
        for name in hidden.union(environment.keys) where !isHarmless(name) { variables[name] = .some(nil) }
        variables.merge(quiet([:])) { $1 }
        variables["GIT_CONFIG_GLOBAL"] = "/dev/null"
        variables["GIT_CONFIG_NOSYSTEM"] = "1"
        variables["HOME"] = place
        variables["XDG_CONFIG_HOME"] = place
        variables["GIT_ALLOW_PROTOCOL"] = "https:http:ssh:git"
        // Tickets of Kerberos are looked for elsewhere when nothing names them.
        for name in ["KRB5CCNAME", "KRB5_CLIENT_KTNAME"] { variables[name] = "/dev/null" }
        return variables
    }

    /// Taken away whatever is known of the environment.
    private static let hidden: Set<String> = [
        "GIT_CONFIG", "GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_SYSTEM", "GIT_SSH", "GIT_SSH_VARIANT", "GIT_SSL_CERT",
        "GIT_SSL_KEY", "GIT_SSL_CERT_PASSWORD_PROTECTED", "GIT_SSL_NO_VERIFY", "NETRC", "SSH_AUTH_SOCK", keyVariable, knownHostsVariable,
        GitAddress.tokenVariable, GitAddress.userVariable,
    ]

    /// Whether programs need a variable to be run at all, to reach a host or to verify who it is. No other is left.
    private static func isHarmless(_ name: String) -> Bool {
        harmless.contains(name) || ["LC_", "GIT_PROXY_"].contains { name.hasPrefix($0) } || name.lowercased().hasSuffix("_proxy")
    }

    private static let harmless: Set<String> = [
        "PATH", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "LD_PRELOAD", "NSS_WRAPPER_PASSWD", "NSS_WRAPPER_GROUP", "GIT_EXEC_PATH",
        "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSL_VERSION", "GIT_SSL_CIPHER_LIST", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE",
        // Set for every git.
        "GIT_OPTIONAL_LOCKS", "GIT_TERMINAL_PROMPT",
    ]

    /// `git`, as it is run with these.
    public func git(deadline: Duration = .seconds(60)) -> Git { Git(deadline: deadline, variables: variables) }

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
            // A key that is named is the one that is shown, whatever an agent holds.
            variables["GIT_SSH_COMMAND"] = Self.command(key: key, hosts: hosts, key == nil ? [] : ["-o IdentitiesOnly=yes"])
        }
        self.variables = variables
        token = Self.given(GitAddress.tokenVariable, environment).map { _ in (GitAddress.tokenVariable, GitAddress.userVariable) }
        isConfined = false
        names = Names()
    }

    private static func command(key: String?, hosts: String?, _ options: [String]) -> String {
        var words = ["ssh", "-o BatchMode=yes", "-o ConnectTimeout=20", "-o StrictHostKeyChecking=yes"] + options
        if let key { words.append("-o IdentityFile=\(quoted(key))") }
        if let hosts { words += ["-o UserKnownHostsFile=\(quoted(hosts))", "-o GlobalKnownHostsFile=/dev/null"] }
        return words.joined(separator: " ")
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
