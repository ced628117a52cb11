import FoundationEssentials
import Model
import Sources
import TestPrograms
import Testing

/// Signed commits, with the real ssh-keygen and gpg.
@Suite(.timeLimit(.minutes(3))) struct GitSignatureTests {
    /// Keys of somebody who may sign and of somebody who may not.
    private static func makeKeys(in place: Place) async throws {
        for name in ["ann", "eve"] {
            let made = try await BuiltProgram(onSearchPath: "ssh-keygen").run(
                ["-q", "-t", "ed25519", "-N", "", "-C", "\(name)@example.com", "-f", place.path(name)])
            #expect(made.status == 0, "\(made.errors)")
        }
        let key = try place.read("ann.pub").split(separator: " ").prefix(2).joined(separator: " ")
        try place.write("signers", "# who may\nann@example.com \(key)\n")
        try place.write("expired", "ann@example.com valid-before=\"20200101\" \(key)\n")
    }

    private static func signed(by name: String, _ place: Place) -> [String] {
        ["-c", "gpg.format=ssh", "-c", "user.signingKey=\(place.path(name))", "-c", "commit.gpgSign=true"]
    }

    @Test(
        arguments: [
            ("ann", "signers", nil, "who is allowed"),
            ("eve", "signers", "its signature is not accepted", "somebody else"),
            (nil, "signers", "it is not signed; sign it with a key of", "nobody"),
            ("ann", "expired", "its signature is not accepted", "a key that was not valid any more"),
        ] as [(String?, String, String?, String)])
    func aCommitIsReadIfAnAllowedKeySignedIt(signer: String?, signers: String, words: String?, why: String) async throws {
        try await GitRepository.with { repository in
            let place = repository.place
            try await Self.makeKeys(in: place)
            try place.write("work/specs/system.yaml", "one")
            let commit = try await repository.push(signer.map { Self.signed(by: $0, place) } ?? [])
            let source = try repository.source(signers: GitSigners([place.path(signers)]))
            guard let words else {
                #expect(try await source.snapshot().revision.id == commit, "\(why)")
                #expect(try repository.stateFiles("allowed-signers").isEmpty)
                return
            }
            let error = await #expect(throws: SourceError.self) { try await source.snapshot() }
            #expect(error?.code == .refused && error?.revision?.id == commit, "\(why): \(error as SourceError?)")
            #expect(error?.message.contains(words) ?? false, "\(why): \(error as SourceError?)")
            #expect(try repository.stateFiles("system.yaml").isEmpty, "nothing of it is read")
        }
    }

    @Test func theTipIsLookedAtAndSignsForAllThatIsBehindIt() async throws {
        try await GitRepository.with { repository in
            let place = repository.place
            try await Self.makeKeys(in: place)
            let signers = try GitSigners([place.path("signers")])
            try await repository.push("unsigned")
            let good = try await repository.push(Self.signed(by: "ann", place))
            let source = try repository.source(signers: signers)
            let snapshot = try await source.snapshot()
            #expect(snapshot.revision.id == good, "an unsigned parent is vouched for by the commit on top of it")
            await source.accept(snapshot)
            // A merge without a signature, of branches that are signed.
            try await place.git("-C", "work", "switch", "-q", "-c", "side")
            try await place.git(["-C", "work"] + Self.signed(by: "ann", place) + ["commit", "-q", "--allow-empty", "-m", "side"])
            try await place.git("-C", "work", "switch", "-q", "main")
            try await place.git("-C", "work", "merge", "-q", "--no-ff", "--no-gpg-sign", "-m", "merge", "side")
            try await place.git("-C", "work", "push", "-q", "origin", "HEAD")
            let error = await #expect(throws: SourceError.self) { try await source.snapshot() }
            #expect(error?.message.contains("it is not signed") ?? false, "\(error as SourceError?)")
            // After a restart without the host, too.
            let mended = try repository.source(signers: signers)
            _ = await #expect(throws: SourceError.self) { try await mended.snapshot() }
            #expect(try await mended.holding().parts[0].lastGood?.revision.id == good, "the last good one stays known")
            // Adding the signer is no commit, and is enough.
            let key = try place.read("eve.pub").split(separator: " ").prefix(2).joined(separator: " ")
            let eve = try await repository.push(Self.signed(by: "eve", place))
            _ = await #expect(throws: SourceError.self) { try await source.snapshot() }
            try place.write("signers", try place.read("signers") + "eve@example.com \(key)\n")
            #expect(try await source.snapshot().revision.id == eve)
        }
    }

    @Test func aKeyringOfOpenPGPIsAsGood() async throws {
        try await GitRepository.with { repository in
            let place = repository.place
            // A short path: the agent's socket is in it.
            let home = "/tmp/belay-gpg-\(UInt32.random(in: .min ... .max))"
            try FileManager.default.createDirectory(
                atPath: home, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            func gpg(_ arguments: String...) async throws -> BuiltProgram.Ended {
                try await BuiltProgram(onSearchPath: "gpg").run(
                    ["--homedir", home, "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback"] + arguments)
            }
            func end() async throws {
                _ = try await BuiltProgram(onSearchPath: "gpgconf").run(["--homedir", home, "--kill", "all"])
                try FileManager.default.removeItem(atPath: home)
            }
            do {
                for name in ["ann", "eve"] {
                    let made = try await gpg("--quick-generate-key", "\(name)@example.com", "ed25519", "sign")
                    #expect(made.status == 0, "\(made.errors)")
                }
                try place.write("ring.asc", try await gpg("--armor", "--export", "ann@example.com").output)
                let program = try place.write("gpg", "#!/bin/sh\nexec gpg --homedir \(home) --batch \"$@\"\n")
                _ = try await BuiltProgram(onSearchPath: "chmod").run(["755", program])
                let signers = try GitSigners([place.path("ring.asc")])
                let good = try await repository.push(
                    "one", to: "specs/system.yaml", "-c", "gpg.program=\(program)", "-c", "user.signingKey=ann@example.com", "-c",
                    "commit.gpgSign=true")
                let source = try repository.source(signers: signers)
                #expect(try await source.snapshot().revision.id == good)
                try await repository.push(
                    "two", to: "specs/system.yaml", "-c", "gpg.program=\(program)", "-c", "user.signingKey=eve@example.com", "-c",
                    "commit.gpgSign=true")
                let error = await #expect(throws: SourceError.self) { try await source.snapshot() }
                #expect(error?.message.contains("its signature is not accepted") ?? false, "\(error as SourceError?)")
            } catch {
                try await end()
                throw error
            }
            try await end()
        }
    }

    @Test(
        arguments: [
            (nil, "cannot be read; --verify-signatures names"), ("", "holds no allowed signers"),
            ("just words\n", "holds no allowed signers"),
        ] as [(String?, String)])
    func aFileWithoutSignersIsAnErrorAtOnce(text: String?, words: String) throws {
        let place = try Place()
        defer { try? place.remove() }
        if let text { try place.write("signers", text) }
        let error = #expect(throws: SourceError.self) { try GitSigners([place.path("signers")]) }
        #expect(error?.message.contains(words) ?? false, "\(error as SourceError?)")
    }
}
