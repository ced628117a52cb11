import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Who may sign a commit that is reconciled: files of allowed SSH signers, and keyrings of OpenPGP.
///
/// Looked at is the signature of the commit that a ref names, and it alone: who signs a commit vouches for its whole tree, whatever came
/// before. The files are read anew for every commit.
public struct GitSigners: Sendable {
    private let files: [String]

    /// - Parameter files: of either kind, which is told from what is in them. At least one.
    public init(_ files: [String]) throws(SourceError) {
        self.files = files
        for file in files { _ = try Self.kind(of: file) }
    }

    private enum Kind { case allowedSigners, keyring }

    /// A keyring begins as an OpenPGP packet of a public key or in its armour; everything else is lines of text.
    private static func kind(of file: String) throws(SourceError) -> Kind {
        let bytes: Data
        do { bytes = try Data(contentsOf: URL(filePath: file)) } catch {
            throw SourceError(
                .notFound, "\(file): cannot be read; --verify-signatures names a file of allowed SSH signers, or an OpenPGP keyring")
        }
        if let first = bytes.first, [0x98, 0x99, 0x9A, 0xC6].contains(first) { return .keyring }
        let text = String(decoding: bytes, as: UTF8.self)
        if text.contains("-----BEGIN PGP PUBLIC KEY BLOCK-----") { return .keyring }
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("#") && !$0.allSatisfy(\.isWhitespace) }
        guard !lines.isEmpty, lines.allSatisfy({ $0.split(whereSeparator: \.isWhitespace).count >= 3 }) else {
            throw SourceError(
                .refused,
                "\(file): holds no allowed signers; a line is: ann@example.com ssh-ed25519 AAAA…, or the file is an OpenPGP keyring")
        }
        return .allowedSigners
    }

    /// Returns if the commit is signed by one of them, and otherwise throws why it is not accepted.
    ///
    /// - Parameter place: a directory for what OpenPGP needs, made and taken away here.
    func verify(_ commit: String, in repository: String, with git: Git, place: String) async throws(SourceError) {
        var signers = ""
        var keyrings: [String] = []
        for file in files {
            switch try Self.kind(of: file) {
            case .allowedSigners:
                do { signers += try String(contentsOf: URL(filePath: file), encoding: .utf8) + "\n" } catch {
                    throw SourceError(.unreadable, "\(file): cannot be read as text; --verify-signatures names it")
                }
            case .keyring: keyrings.append(file)
            }
        }
        defer { try? FileManager.default.removeItem(atPath: place) }  // The next one makes it anew; nothing in it is secret.
        do {
            if Git.exists(place) { try FileManager.default.removeItem(atPath: place) }
            try FileManager.default.createDirectory(
                atPath: place, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try Data(signers.utf8).write(to: URL(filePath: "\(place)/allowed-signers"))
        } catch {
            throw SourceError(.gitFailed, "\(place): cannot be written, so that no signature can be looked at; is the disk full?")
        }
        // Keys that the user of this machine trusts for other things are no signers of these commits.
        let git = git.adding(["GNUPGHOME": place])
        // Through git, because it knows where gpg is, and runs it with a deadline.
        for keyring in keyrings {
            let answer = try await git.run(
                in: repository, ["-c", "alias.import=!gpg --batch --quiet --no-autostart --import", "import", Git.resolved(keyring)])
            guard let answer, answer.status == 0 else {
                throw SourceError(
                    .gitFailed, "\(keyring): gpg does not read it: \(answer?.reason ?? "there is no git"); is gpg installed?")
            }
        }
        let question = [
            "-c", "gpg.ssh.allowedSignersFile=\(place)/allowed-signers", "-c", "gpg.ssh.program=ssh-keygen", "-c", "gpg.program=gpg",
            "-c", "gpg.openpgp.program=gpg", "-c", "gpg.x509.program=false", "-c", "gpg.minTrustLevel=undefined", "verify-commit", commit,
        ]
        guard let answer = try await git.run(in: repository, question) else {
            throw SourceError(.gitFailed, "there is no program git; install it to read specs from a repository")
        }
        guard answer.status != 0 else { return }
        throw SourceError(.refused, try await reason(answer, commit, in: repository, git))
    }

    private func reason(_ answer: Git.Answer, _ commit: String, in repository: String, _ git: Git) async throws(SourceError) -> String {
        let signers = files.joined(separator: ", ")
        let next = "sign it with a key of \(signers), or add its signer there"
        if answer.errors.contains("cannot run gpg") || answer.errors.contains("cannot run ssh-keygen") {
            let program = answer.errors.contains("cannot run gpg") ? "gpg" : "ssh-keygen (openssh-client)"
            return "its signature cannot be looked at: install \(program)"
        }
        // git says nothing at all of a commit without a signature.
        let text = try await git.run(in: repository, ["cat-file", "commit", commit])?.output ?? ""
        let isSigned = text.split(separator: "\n", omittingEmptySubsequences: false).prefix { !$0.isEmpty }.contains {
            $0.hasPrefix("gpgsig")
        }
        guard isSigned else { return "it is not signed; \(next)" }
        return "its signature is not accepted: \(answer.reason); \(next)"
    }
}
