internal import Dispatch
public import Model
public import ProviderKit

/// Keeps a local env file at the configuration that a spec names: for development. Sends nothing over a network.
///
/// The file is replaced in one step, for its owner alone (mode 0600), and what it held before is kept beside it as
/// `.env.belay-backup-<time>`; the newest five are left. Comments, order and other keys stay as they are, byte for byte. ``EnvText`` says
/// which dialect is understood.
///
/// Cost of an observation: the file is read.
public struct EnvFileProvider: Provider {
    private let now: @Sendable () -> Timestamp
    private let queue = DispatchQueue(label: "belay.env-file")

    /// - Parameter now: for the names of backups.
    public init(now: @escaping @Sendable () -> Timestamp) { self.now = now }

    public static let registration = ProviderRegistration(
        EnvFileProvider.self, doc: "A file of environment variables on this machine, for development.", hasReleases: false,
        secretVariables: []
    ) { .success(EnvFileProvider(now: $0.now)) }

    /// The one release that there is: the file holds configuration, whatever that is.
    private static let release = Release(
        label: "configuration",
        names: [ReleaseName(.deployment, "configuration", denotes: ArtifactIdentity(.deployment, "configuration"))])

    public func observe(_ target: EnvFileTarget, _ request: ObservationRequest) async -> Observation {
        let file = EnvFile(resource: "envFile/\(request.component)", path: target.path)
        return await onDisk { Self.observation(of: file, request) }
    }

    public func apply(_ change: ReleaseChange, to target: EnvFileTarget, _ request: ApplyRequest) async -> ApplyResult {
        let file = EnvFile(resource: "envFile/\(request.component)", path: target.path)
        guard let desired = request.configuration else {
            return .refused(Problem("NothingDesired", "\(file.resource): the spec names no keys for it", next: "plan again"))
        }
        return await onDisk { [now] in
            do throws(Problem) {
                return try Self.write(desired, to: file, at: now())
            } catch {
                return Self.isWritten(desired, in: file) ? .unknown(error) : .refused(error)
            }
        }
    }

    private func onDisk<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: work()) }
        }
    }
}

extension EnvFileProvider {
    private static func observation(of file: EnvFile, _ request: ObservationRequest) -> Observation {
        do throws(Problem) {
            let content = try file.content()
            let text = try file.text(of: content)
            var observation = Observation(
                live: .release(declared: release, serving: [release]), candidates: [Candidate(release, routes: [])],
                stoppage: .impossible(Problem("CannotStop", "\(file.resource): a file runs nothing that could be stopped")))
            var configuration = ObservedConfiguration(settings: file.settings(of: text, request.keeper))
            if let desired = request.configuration {
                configuration.differences = desired.differences(from: configuration.settings, known: request.knownConfiguration)
                if !configuration.differences.isEmpty {
                    configuration.route = route(configuration.differences, desired, file, isThere: content.bytes != nil)
                }
            }
            observation.configuration = configuration
            if request.openIntent != nil {
                // One rename is all of a write, and it is over: whoever sent it has given the lock back, or is dead.
                observation.fate = configuration.differences.isEmpty ? .tookEffect : .void
            }
            if content.bytes != nil, content.mode & 0o077 != 0 {
                observation.notes.append("\(file.path) can be read by others on this machine; for its owner alone: chmod 600 \(file.path)")
            }
            return observation
        } catch {
            return .unknown(error)
        }
    }

    private static func route(
        _ differences: [ConfigurationDifference], _ desired: DesiredConfiguration, _ file: EnvFile, isThere: Bool
    ) -> Route {
        let removed = differences.count { $0.kind == .extra }
        func keys(_ count: Int) -> String { count == 1 ? "1 key" : "\(count) keys" }
        let steps = [
            differences.count > removed ? "set \(keys(differences.count - removed))" : nil, removed > 0 ? "remove \(keys(removed))" : nil,
        ].compactMap(\.self).joined(separator: " and ")
        var route = Route(
            .redeploy, means: "\(steps) in \(file.path)" + (isThere ? "" : ", which is made"), class: .instant, token: "write",
            isIdempotent: true)
        if isThere {
            route.cautions = ["keeps what was there beside it, in \(file.path).belay-backup-…, with its secrets: name it in .gitignore"]
        }
        if case .failure(let problem) = written(desired, in: file) { route.refusal = problem }
        return route
    }

    private static func write(_ desired: DesiredConfiguration, to file: EnvFile, at time: Timestamp) throws(Problem) -> ApplyResult {
        let content = try file.content()
        let text = try file.text(of: content)
        let values = try written(desired, in: file).get()
        // What is right already stays as it was written.
        let differing = values.filter { key, _ in text.settings[key] != desired.values[key]?.secret.reveal() }
        let extra = desired.isExact ? Set(text.settings.keys).subtracting(desired.values.keys) : []
        if differing.isEmpty, extra.isEmpty, content.bytes != nil { return .alreadySo }
        let backup = try file.replace(content, with: text.edited(setting: differing, removing: extra), at: time)
        var facts = ["file": content.path]
        facts["backup"] = backup
        return .accepted(facts)
    }

    /// True if the file came to hold what is desired, though something failed afterwards.
    private static func isWritten(_ desired: DesiredConfiguration, in file: EnvFile) -> Bool {
        // Not, as far as can be told.
        guard let content = try? file.content(), let settings = try? file.text(of: content).settings else { return false }
        if desired.isExact, settings.keys.contains(where: { desired.values[$0] == nil }) { return false }
        return desired.values.allSatisfy { settings[$0.key] == $0.value.secret.reveal() }
    }

    private static func written(_ desired: DesiredConfiguration, in file: EnvFile) -> Result<[String: String], Problem> {
        let values = desired.values.mapValues { EnvText.written($0.secret.reveal()) }
        let impossible = values.filter { $0.value == nil }.keys.sorted()
        guard impossible.isEmpty else {
            return .failure(
                Problem(
                    "ValueNotWritable",
                    "\(file.resource): \(impossible.joined(separator: ", ")) cannot be written so that a shell and dotenv read the same value: it has a quote ' beside one of \" $ ` \\, or a carriage return, or a backslash at its end",
                    next: "give it another value"))
        }
        return .success(values.compactMapValues(\.self))
    }
}

extension EnvFile {
    fileprivate func text(of content: Content) throws(Problem) -> EnvText {
        do throws(EnvText.Flaw) {
            return try EnvText(content.bytes ?? [])
        } catch {
            throw Problem(
                "FileNotUnderstood", "\(resource): \(path), line \(error.line): \(error.what)",
                next: "correct that line; nothing is written before")
        }
    }

    fileprivate func settings(of text: EnvText, _ keeper: ConfigurationKeeper) -> [String: ConfigurationEntry] {
        Dictionary(
            text.settings.map { key, value in (key, value.map { keeper.entry(key, Secret($0)) } ?? ConfigurationEntry()) }
        ) { $1 }
    }
}
