import Model
import ProviderKit

/// A project's environment variables for production, compared with what is desired.
///
/// A change of a variable never reaches a deployment that is built already: <https://vercel.com/docs/environment-variables>. What a build
/// was made with is told by what was recorded when it ran, and where nothing was, by times: a variable that was changed after the build began is
/// not in it as it is now.
struct VercelConfiguration: Sendable {
    /// What people set for production, by key.
    let variables: [String: VercelVariable]
    /// Keys that Vercel, a store or an integration sets for production, and that the spec names.
    let taken: [String]
    /// How many variables of production the token may not see.
    let hidden: Int
    let settings: [String: ConfigurationEntry]
    let desired: DesiredConfiguration?
    /// Between what is set and what is desired, whatever was built with it; sorted by key.
    let differences: [ConfigurationDifference]
    /// What is to be written, in this order.
    let writes: [VercelWrite]
    /// What was recorded of builds: whether one ran with a value.
    private let ran: @Sendable (_ deployment: String, _ key: String, _ fingerprint: String) -> Bool?

    init(_ found: VercelVariables, of project: String, _ request: ObservationRequest) {
        let production = found.all.filter(\.isForProduction)
        let own = Dictionary(production.filter { !$0.isForeign }.map { ($0.key, $0) }) { first, second in
            // Vercel refuses two of one place; if there are two all the same, the newer one is the one that people see.
            (second.changed ?? .distantPast) > (first.changed ?? .distantPast) ? second : first
        }
        let desired = request.configuration
        let keeper = request.keeper
        variables = own
        hidden = found.hidden
        settings = own.mapValues { $0.entry(keeper) }
        self.desired = desired
        taken = production.filter { $0.isForeign && desired?.values[$0.key] != nil && own[$0.key] == nil }.map(\.key).sorted()
        ran = { request.ran($0, with: $1, $2) }
        let differences = desired?.differences(from: settings, known: request.knownConfiguration) ?? []
        self.differences = differences
        writes = differences.flatMap { Self.writes(for: $0, own[$0.key], desired, project) }
    }

    var isManaged: Bool { desired != nil }

    /// As few as leave other environments as they are: one that has the value of production as well keeps it.
    private static func writes(
        for difference: ConfigurationDifference, _ variable: VercelVariable?, _ desired: DesiredConfiguration?, _ project: String
    ) -> [VercelWrite] {
        let key = difference.key
        var detach: [VercelWrite] = []
        if let variable, variable.isShared {
            detach = [.detach(project: project, id: variable.id, key: key, targets: variable.otherTargets)]
        }
        switch difference.kind {
        case .extra: return detach.isEmpty ? variable.map { [.remove(project: project, id: $0.id, key: key)] } ?? [] : detach
        case .missing, .changed, .unverified, .notApplied:
            // A literal stands in the spec for everybody to read. A team's policy may make a secret of it all the same.
            let isPlain = variable?.kind == .plain && detach.isEmpty
            let kind: VercelVariable.Kind = desired?.values[key]?.isReference == true ? .sensitive : isPlain ? .plain : .encrypted
            return detach + [.put(project: project, key: key, kind: kind)]
        }
    }

    // MARK: - Builds

    /// Named keys that the deployment does not have as they must be, and cannot get without being built anew; sorted.
    func stale(in deployment: VercelDeployment) -> [String] {
        guard let desired, !desired.values.isEmpty else { return [] }
        let differing = Set(differences.lazy.filter { $0.kind != .extra }.map(\.key))
        return desired.values.filter { key, value in
            // What comes back with a record comes back with the build of that time.
            if value.isRestored { return false }
            // A build never changes: with what it ran once, it runs again.
            return ran(deployment.id, key, value.fingerprint).map { !$0 } ?? (differing.contains(key) || isNewer(key, than: deployment))
        }.keys.sorted()
    }

    /// True if no build that there is can have the keys as they must be.
    var needsWrites: Bool { differences.contains { $0.kind != .extra } }

    private func isNewer(_ key: String, than deployment: VercelDeployment) -> Bool {
        guard let changed = variables[key]?.changed, let created = deployment.created else { return false }
        return changed > created
    }

    /// What comes back with an old build, of the keys that the spec does not name.
    func returning(with deployment: VercelDeployment) -> [String] {
        guard let created = deployment.created else { return [] }
        let changed = variables.values.filter { desired?.values[$0.key] == nil && isNewer($0.key, than: deployment) }
        func keys(_ isAdded: Bool) -> String? {
            let keys = changed.filter { ($0.created.map { $0 > created } ?? false) == isAdded }.map(\.key).sorted()
            guard !keys.isEmpty else { return nil }
            return keys.count > 8
                ? "\(keys.prefix(7).joined(separator: ", ")) and \(keys.count - 7) more keys" : keys.joined(separator: ", ")
        }
        return [
            keys(false).map { "environment variables come back as \(deployment.id) was built with them, changed since then: \($0)" },
            keys(true).map { "environment variables that \(deployment.id) was built without, added since then: \($0)" },
        ].compactMap(\.self)
    }

    // MARK: - For the observation

    /// Why it cannot be as desired; nil when it can.
    func refusal(_ resource: String) -> Problem? {
        guard !taken.isEmpty else { return nil }
        return Problem(
            "KeyTaken", "\(resource): \(taken.joined(separator: ", ")) \(taken.count == 1 ? "is" : "are") set by Vercel or an integration",
            next: "disconnect the integration from the project, or take \(taken.count == 1 ? "the key" : "the keys") out of env")
    }

    func problem(_ resource: String) -> Problem? {
        guard isManaged, hidden > 0 else { return nil }
        return Problem(
            "VariablesHidden",
            "\(resource): \(hidden) environment variables of production are hidden from the token, so that they cannot be compared",
            next: "give the token's owner a role that sees production's environment variables")
    }
}

extension Timestamp {
    static let distantPast = Timestamp(millisecondsSinceEpoch: .min)
}
