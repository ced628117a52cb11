import JSONValues
import Model
import Planning
import Reporting
import Sources
import SpecEditing
import SpecFields
import SpecLoading
import TextLayout

/// What became of a change.
struct ChangeResult: Sendable {
    var system: SystemID
    var file: String
    var items: [SpecChange.Item]
    /// In unified form; empty when nothing had to be changed.
    var difference: UnifiedDifference
    var isChanged: Bool
    var isWritten = false
    /// The commit that was made.
    var commit: (id: String, branch: String, subject: String)?
    /// Where it was pushed to: `origin/main`.
    var pushed: String?
    /// The whole new text, where it came from standard input.
    var output: String?
    var verdict = Verdict.inSync
}

extension Program {
    /// Changes the file that holds the system, as the options say; the file, the index and the remote are looked at before anything is
    /// written. Prints nothing but errors.
    ///
    /// - Parameter isTold: false where the caller tells why nothing was done.
    /// - Returns: what was done, or why nothing was, which has been told then.
    func change(
        _ system: System, in snapshot: Snapshot, by change: SpecChange, _ options: ChangeOptions, isTold: Bool = true, _ form: OutputForm
    ) async -> Result<ChangeResult, ChangeRefusal> {
        let name = Self.file(of: system)
        do throws(ChangeRefusal) {
            guard let file = snapshot.files.first(where: { $0.name == name }) else {
                throw ChangeRefusal("\(system.id): its file is not among the specs")
            }
            let text = try Self.edited(file, change, of: system.id)
            var result = ChangeResult(
                system: system.id, file: name, items: change.items,
                difference: UnifiedDifference(
                    from: String(decoding: file.bytes, as: UTF8.self), to: String(decoding: text.bytes, as: UTF8.self), name: name),
                isChanged: text.bytes != file.bytes)
            guard result.isChanged else { return .success(result) }
            try Self.refuseUnloadable(snapshot, file, text)
            if name == "<stdin>" {
                guard !options.commit else { throw ChangeRefusal("standard input is in no Git work tree; leave --commit out") }
                result.output = options.dryRun ? nil : String(decoding: text.bytes, as: UTF8.self)
                return .success(result)
            }
            guard !options.dryRun else { return .success(result) }
            try await write(text, over: file, change, options, &result)
            return .success(result)
        } catch {
            if isTold { refuse(error.message, form) }
            return .failure(error)
        }
    }

    private func write(
        _ text: SpecText, over file: SourceFile, _ change: SpecChange, _ options: ChangeOptions, _ result: inout ChangeResult
    ) async throws(ChangeRefusal) {
        let place = SpecFile(file.name)
        do throws(SourceError) {
            let tracked = options.commit ? try await GitFile(ready: file.name) : nil
            let upstream = options.push ? try await tracked?.upstream() : nil
            do throws(SpecFileError) { try place.replace(file.bytes, with: text.bytes) } catch {
                throw SourceError(.unreadable, error.message)
            }
            result.isWritten = true
            guard let tracked else { return }
            let message = change.message(for: result.system)
            do throws(SourceError) {
                let id = try await tracked.commit(message)
                result.commit = (id, tracked.branch, message.firstLine)
            } catch {
                // The next try must not find a dirty tree.
                do throws(SpecFileError) { try place.replace(text.bytes, with: file.bytes) } catch {
                    throw SourceError(.gitFailed, "\(error.message)")
                }
                throw SourceError(error.code, "\(error.message); the file is as it was")
            }
            guard let upstream else { return }
            if upstream.unpublished > 0 {
                output.progress(
                    "note: \(upstream.unpublished) earlier \(upstream.unpublished == 1 ? "commit" : "commits") of \(tracked.branch) "
                        + "will be pushed as well\n")
            }
            do throws(SourceError) {
                try await tracked.push(to: upstream)
                result.pushed = upstream.description
            } catch {
                // The change is made and committed: what is left to do is told, and the result is still shown.
                output.error(error.message)
                result.verdict = .failure
            }
        } catch {
            throw ChangeRefusal(error.message, error.code == .refused ? .blocked : .failure)
        }
    }

    /// The file's name within `file:line:column`.
    static func file(of system: System) -> String {
        system.origin.split(separator: ":", omittingEmptySubsequences: false).dropLast(2).joined(separator: ":")
    }

    private static func edited(_ file: SourceFile, _ change: SpecChange, of system: SystemID) throws(ChangeRefusal) -> SpecText {
        do throws(SpecEditError) {
            return try SpecText(file.bytes).applying(change.items.flatMap(\.edits), to: system)
        } catch {
            throw ChangeRefusal("\(file.name):\(error)")
        }
    }

    /// A change must leave specs that load.
    private static func refuseUnloadable(_ snapshot: Snapshot, _ file: SourceFile, _ text: SpecText) throws(ChangeRefusal) {
        let files = snapshot.files.map { other in
            other.name == file.name ? SourceFile(name: file.name, bytes: text.bytes, isExplicit: file.isExplicit) : other
        }
        let diagnostics = loader.load(files).diagnostics
        guard diagnostics.isEmpty else {
            // What was wrong before is not this change's doing.
            let before = Set(loader.load(snapshot.files).diagnostics.map(\.message))
            var refusal = ChangeRefusal(
                (diagnostics.map(\.description) + ["so the change was not made"]).joined(separator: "\n"))
            refusal.isUnloadable = !diagnostics.allSatisfy { before.contains($0.message) }
            throw refusal
        }
    }
}

/// Why nothing was changed.
struct ChangeRefusal: Error {
    var message: String
    var verdict: Verdict
    /// True where the change itself would leave a spec that does not load: nobody should make it by hand either.
    var isUnloadable = false

    init(_ message: String, _ verdict: Verdict = .failure) {
        self.message = message
        self.verdict = verdict
    }
}

extension String {
    fileprivate var firstLine: String { String(prefix { !$0.isNewline }) }
}
