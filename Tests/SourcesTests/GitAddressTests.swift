import Sources
import TestPrograms
import Testing

struct GitAddressTests {
    @Test(
        arguments: [
            ("https://git.example/acme/specs", nil, []), ("https://git.example/acme/specs#main", "main", []),
            ("git@git.example:acme/specs#main:prod", "main", ["prod"]),
            ("/srv/specs.git#:prod,staging/a.yaml", nil, ["prod", "staging/a.yaml"]),
            ("https://git.example/specs#refs/tags/v1:./prod/", "refs/tags/v1", ["prod"]),
        ] as [(String, String?, [String])])
    func refAndPathsMayStandBehindTheURL(text: String, ref: String?, paths: [String]) throws {
        let address = try GitAddress(parsing: text)
        #expect(address.url == text.split(separator: "#").first.map(String.init))
        #expect(address.ref == ref && address.paths == paths)
        #expect(try GitAddress(parsing: address.name) == address, "what it is called can be given again")
    }

    @Test(
        arguments: [
            ("https://git.example/x#", nil, "after # stands"), ("https://git.example/x#main:", nil, "after # stands"),
            ("https://git.example/x#main:a,,b", nil, "after # stands"), ("https://git.example/x#main", "v1", "leave --ref and --path out"),
            ("https://git.example/x#main:../etc", nil, "relative to its root"), ("https://a:b@git.example/x#main", nil, "holds a password"),
        ] as [(String, String?, String)])
    func whatIsNoneIsRefused(text: String, ref: String?, words: String) {
        let error = #expect(throws: SourceError.self) { () throws(SourceError) in try GitAddress(parsing: text, ref: ref) }
        #expect(error?.message.contains(words) ?? false, "\(error as SourceError?)")
    }
}

/// How ssh is run, by a program that stands in for git and shows what it was given.
struct GitAccessTests {
    @Test(
        arguments: [
            ([:], "", "git's own"),
            (
                ["BELAY_GIT_SSH_KEY_FILE": "a key"],
                "ssh -o BatchMode=yes -o ConnectTimeout=20 -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes -o IdentityFile='\"PLACE/a key\"'",
                "a key alone"
            ),
            (
                ["BELAY_GIT_KNOWN_HOSTS_FILE": "hosts"],
                "ssh -o BatchMode=yes -o ConnectTimeout=20 -o StrictHostKeyChecking=yes -o UserKnownHostsFile='\"PLACE/hosts\"' "
                    + "-o GlobalKnownHostsFile=/dev/null", "hosts alone"
            ),
            (["GIT_SSH_COMMAND": "ssh -v", "BELAY_GIT_SSH_KEY_FILE": ""], "", "git reads its own variable itself"),
        ] as [([String: String], String, String)])
    func keysAndHostsComeFromTheEnvironment(variables: [String: String], command: String, why: String) throws {
        let place = try Place()
        defer { try? place.remove() }
        for name in ["a key", "hosts"] { try place.write(name, "") }
        let environment = variables.mapValues { $0.isEmpty || $0.contains("ssh") ? $0 : place.path($0) }
        #expect(try GitAccess(environment: environment).sshCommand ?? "" == command.replacing("PLACE", with: place.root), "\(why)")
    }

    @Test(arguments: [
        (["BELAY_GIT_SSH_KEY_FILE": "/nonexistent/key"], "names /nonexistent/key, and there is no such file"),
        (["BELAY_GIT_SSH_KEY_FILE": "/etc/hostname", "GIT_SSH_COMMAND": "ssh"], "both say how ssh is run"),
    ])
    func whatContradictsItselfIsRefused(environment: [String: String], words: String) {
        let error = #expect(throws: SourceError.self) { () throws(SourceError) in try GitAccess(environment: environment) }
        #expect(error?.message.contains(words) ?? false, "\(error as SourceError?)")
    }
}
