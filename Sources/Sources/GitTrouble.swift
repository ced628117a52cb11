/// What git says when a host or a clone is in trouble, and what to do then. Its words are English: it is run with `LC_ALL=C`.
enum GitTrouble {
    /// What helps, for a failure.
    ///
    /// - Parameter hasToken: whether a token was sent.
    static func advice(_ words: String, hasToken: Bool) -> String {
        let token = GitAddress.tokenVariable
        if words.contains("Authentication failed") || words.contains("returned error: 401") {
            return hasToken
                ? "the host refuses the token: is \(token) valid, and may it read this repository?"
                : "the host refuses git's own credentials; set \(token)"
        }
        if words.contains("returned error: 403") {
            return hasToken ? "\(token) is valid and may not read this repository: give it that right" : "set \(token)"
        }
        return known.first { words.contains($0.words) }?.next ?? "is the host reachable from here?"
    }

    private static let known: [(words: String, next: String)] = [
        ("could not read Username", "set \(GitAddress.tokenVariable), or a credential helper of git's own"),
        ("could not read Password", "set \(GitAddress.tokenVariable), or a credential helper of git's own"),
        (
            "REMOTE HOST IDENTIFICATION HAS CHANGED",
            "the host shows another key than the known one; only when its owner says that it is new, replace it in known_hosts "
                + "(\(GitAccess.knownHostsVariable))"
        ),
        ("Host key verification failed", hostKey),
        (
            "No user exists for uid",
            "ssh needs an entry in /etc/passwd for the user that runs this, or use HTTPS and \(GitAddress.tokenVariable)"
        ),
        (
            "UNPROTECTED PRIVATE KEY FILE",
            "others may read the key: chmod 600, or defaultMode: 0400 of a Secret that is mounted where this runs as root (\(GitAccess.keyVariable))"
        ),
        (
            "Permission denied (publickey",
            "give ssh a key that may read it: \(GitAccess.keyVariable), an agent, ~/.ssh/config or GIT_SSH_COMMAND"
        ),
        ("Load key", "is \(GitAccess.keyVariable) a private key without a passphrase?"),
        ("cannot run ssh", "install ssh (openssh-client), or use HTTPS"),
        ("No space left on device", full), ("Disk quota exceeded", full),
        ("does not appear to be a git repository", "check the URL"), ("not found", "check the URL, and that the token may read it"),
        ("couldn't find remote ref", "the ref went away while it was read"),
        ("certificate", "the host's certificate is not trusted: GIT_SSL_CAINFO names a file with its authority"),
    ]

    private static let hostKey =
        "put the host's key, which its owner publishes, into known_hosts (ssh-keyscan prints what the host itself says), "
        + "or into a file that \(GitAccess.knownHostsVariable) names"
    private static let full = "the disk that holds the clone is full: free some of it, or name another place with --state DIR"

    /// True where the clone itself is damaged, so that another one would help.
    static func isDamage(_ words: String) -> Bool {
        let words = words.lowercased()
        if words.contains("no space left") { return false }
        return damages.contains { words.contains($0) }
    }

    private static let damages = [
        "bad object", "corrupt", "missing blob", "missing tree", "missing commit", "unable to read tree", "unable to read sha1",
        "unable to read ", "could not parse", "unable to parse", "failed to parse commit", "failed to read", "bad tree object", "is empty",
        "not a git repository", "inflate:", "does not match index", "cannot be accessed", "invalid sha1 pointer", "not a valid object",
        "broken", "index file smaller", "bad signature 0x", "bad index", "is not a commit", "packfile", "bad ref",
        "reference is not a tree",
        "did not send all necessary objects", "invalid reference", "cannot change to '",
        // With its configuration, git would name the URL.
        "'origin' does not appear",
    ]
}
