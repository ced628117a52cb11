import Model
import ProviderKit

extension RenderReading {
    private var desired: DesiredConfiguration? { request.configuration }

    // MARK: - What is set, and since when

    /// Makes of the variables what may be told of them, once everything is read.
    mutating func compareSettings() {
        let ownSince = ownSince
        for (key, value) in variables ?? [:] {
            var entry = request.keeper.entry(key, value)
            if let fingerprint = entry.fingerprint, let history = history(of: key, fingerprint) {
                // A deploy of our own that is live was made with everything that is set.
                entry.marker = (ownSince.map(history.inForce) ?? history).text
            }
            settings[key] = entry
        }
        guard variables != nil else { return }
        plainDifferences = desired?.differences(from: settings, known: request.knownConfiguration) ?? []
        unapplied = keysNotApplied
    }

    /// When the live deploy was made, if the open intent made it with the settings of now.
    private var ownSince: Timestamp? {
        guard let live, let made, made.id == live.id, live.trigger != "rollback" else { return nil }
        return live.created
    }

    /// Nil when Render does not tell the time, without which nothing follows.
    private func history(of key: String, _ fingerprint: String) -> ValueHistory? {
        guard let now = time else { return nil }
        if let intent = request.openIntent, case .set(key, let past)? = intent.route.part.flatMap({ RenderPart($0) }),
            intent.fingerprint == fingerprint
        {
            return ValueHistory(past).adding(fingerprint, since: now, isSet: true)
        }
        return ValueHistory(request.knownConfiguration[key]?.marker).adding(fingerprint, since: now, isSet: false)
    }

    // MARK: - What a deploy runs with

    /// The deploys one of which a deploy has its environment from; nil when that is not known.
    ///
    /// A standard deploy takes the settings of its own time. A rollback brings back those of its target, and Render's own deploys go on with
    /// what ran.
    private func origins(of deploy: RenderDeploy) -> [RenderDeploy]? {
        var found: [String: [RenderDeploy]?] = [:]
        return origins(of: deploy, &found)
    }

    /// - Parameter found: what was found of deploys before, without which a row of rollbacks would take time without end.
    private func origins(of deploy: RenderDeploy, _ found: inout [String: [RenderDeploy]?]) -> [RenderDeploy]? {
        if let known = found[deploy.id] { return known }
        // So far back nobody looks.
        guard found.count < 100 else { return nil }
        found[deploy.id] = .some(nil)
        let origins = beginning(of: deploy, &found)
        found[deploy.id] = .some(origins)
        return origins
    }

    private func beginning(of deploy: RenderDeploy, _ found: inout [String: [RenderDeploy]?]) -> [RenderDeploy]? {
        func served(before: RenderDeploy) -> [RenderDeploy] {
            deploys.filter { $0.hasServed && ($0.created ?? .distantPast) < (before.created ?? .distantPast) }
        }
        switch deploy.trigger {
        case "rollback":
            var target = beginnings[deploy.id]?.target
            if let made, made.id == deploy.id,
                case .rollback(_, let id, _)? = request.openIntent.flatMap({ RenderWay(token: $0.route.token) })
            {
                target = id
            }
            if let target {
                guard let went = self.deploy(target), (went.created ?? .distantPast) < (deploy.created ?? .distantPast) else { return nil }
                return origins(of: went, &found)
            }
            var all: [String: RenderDeploy] = [:]
            for other in served(before: deploy) where other.identity == deploy.identity {
                guard other.trigger != "rollback", let origins = origins(of: other, &found) else { return nil }
                for origin in origins { all[origin.id] = origin }
            }
            return all.isEmpty ? nil : all.values.sorted { $0.id < $1.id }
        case "deployed_by_render": return served(before: deploy).first.flatMap { origins(of: $0, &found) }
        default: return [deploy]
        }
    }

    /// Whether a deploy runs, or ran, with a named key's desired value; nil when that is not known.
    func carries(_ key: String, _ deploy: RenderDeploy) -> Bool? {
        guard let value = desired?.values[key] else { return nil }
        let known = request.knownConfiguration[key]
        var history = ValueHistory(known?.marker)
        if let now = time, let fingerprint = settings[key]?.fingerprint {
            let isFirstSight = history.entries.isEmpty
            history = self.history(of: key, fingerprint) ?? history.adding(fingerprint, since: now, isSet: false)
            // Nothing was ever recorded: at first contact, what runs is taken to have what is set.
            if isFirstSight, deploy.id == live?.id, request.knownConfiguration.isEmpty, !history.entries.contains(where: \.isSet) {
                return fingerprint == value.fingerprint
            }
        }
        if deploy.id == live?.id, ownSince != nil { return history.wasValue(value.fingerprint, at: .distantFuture) }
        guard let origins = origins(of: deploy) else { return nil }
        let answers = origins.map { origin -> Bool? in
            guard let created = origin.created else { return nil }
            if let told = history.wasValue(value.fingerprint, at: created) { return told }
            guard deploy.id == live?.id, let last = history.entries.last else { return nil }
            // Belay has set it since, because it was not so, or nobody knew: what was made before is taken not to have it.
            if last.isSet, last.since > created { return false }
            // What was live when the value was first recorded is taken to have it.
            guard let first = ValueHistory(known?.marker).entries.first, !first.isSet, created < first.since else { return nil }
            return history.began(with: value.fingerprint)
        }
        if answers.allSatisfy({ $0 == true }) { return true }
        return answers.allSatisfy { $0 == false } ? false : nil
    }

    /// Of the keys that the spec names, those that a deploy is not known to run with, sorted.
    func missing(from deploy: RenderDeploy) -> [String] {
        (desired?.values.keys.sorted() ?? []).filter { carries($0, deploy) != true }
    }

    // MARK: - What differs

    /// Keys that are set as desired, and what runs was started without them: those of which that is known, and the others.
    private var keysNotApplied: NotApplied {
        guard let desired, let live, !service.isSuspended else { return NotApplied() }
        let differing = Set(plainDifferences.map(\.key))
        var known: [String] = []
        var unknown: [String] = []
        for key in desired.values.keys.sorted() where !differing.contains(key) {
            switch carries(key, live) {
            case true?: break
            case false?: known.append(key)
            case nil: unknown.append(key)
            }
        }
        if desired.isExact {
            // Recorded once, gone now, and not known to have been left out by what runs: Belay removed them, or somebody did.
            for (key, entry) in request.knownConfiguration where variables?[key] == nil && desired.values[key] == nil && ownSince == nil {
                if let removed = entry.marker.flatMap(Self.removal), let origins = origins(of: live),
                    origins.allSatisfy({ $0.created.map { $0 >= removed } ?? false })
                {
                    continue
                }
                known.append(key)
            }
        }
        let unrecorded = known.filter { key in
            desired.values[key].map { $0.fingerprint != request.knownConfiguration[key]?.fingerprint } ?? false
        }
        return NotApplied(known: known.sorted(), unknown: unknown, unrecorded: (unknown + unrecorded).sorted())
    }

    /// What is recorded of a key that was removed: since when.
    static func removalMarker(at time: Timestamp) -> String { "-@\(time)" }

    private static func removal(_ marker: String) -> Timestamp? {
        marker.hasPrefix("-@") ? Timestamp(String(marker.dropFirst(2))) : nil
    }

    /// The next write of a key on the way to what is desired; nil when the settings are as desired.
    ///
    /// - Parameter more: keys that are set as desired without anybody knowing since when: they are set once more, which is recorded.
    func nextPart(and more: [String] = []) -> (part: RenderPart, key: String?)? {
        guard let difference = plainDifferences.first ?? more.first.map({ ConfigurationDifference($0, .unverified) }) else { return nil }
        let key = difference.key
        guard difference.kind != .extra else { return (.remove(key: key), nil) }
        let past = settings[key]?.marker ?? request.knownConfiguration[key]?.marker ?? ""
        return (.set(key: key, past: past), key)
    }

    /// `set 2 keys, then `, in front of what follows; empty when the settings are as desired.
    func keysFirst(and more: [String] = []) -> String {
        let removed = plainDifferences.count { $0.kind == .extra }
        let words = [(plainDifferences.count - removed + more.count, "set"), (removed, "remove")].filter { $0.0 > 0 }
            .map { "\($0.1) \($0.0) \($0.0 == 1 ? "key" : "keys")" }
        return words.isEmpty ? "" : words.joined(separator: " and ") + ", then "
    }

    var observedConfiguration: ObservedConfiguration? {
        guard var observed = comparedConfiguration else { return nil }
        observed.learned = learned
        return observed
    }

    /// What the open intent is seen to have done: removed a key, or deployed what is set.
    private var learned: [String: ConfigurationEntry] {
        if case .remove(let key)? = request.openIntent?.route.part.flatMap({ RenderPart($0) }), variables?[key] == nil, let time {
            return [key: ConfigurationEntry(marker: Self.removalMarker(at: time))]
        }
        guard let desired, let ownSince else { return [:] }
        var learned = settings.filter { key, entry in desired.values[key].map { $0.fingerprint == entry.fingerprint } ?? false }
        // What somebody removed is not in what runs from now on.
        for key in request.knownConfiguration.keys where variables?[key] == nil && desired.values[key] == nil {
            learned[key] = ConfigurationEntry(marker: Self.removalMarker(at: ownSince))
        }
        return learned
    }

    private var comparedConfiguration: ObservedConfiguration? {
        guard variables != nil else { return nil }
        guard desired != nil else { return ObservedConfiguration(settings: settings) }
        let plain = plainDifferences
        guard let live else {
            return ObservedConfiguration(settings: settings, differences: plain, route: plain.isEmpty ? nil : settingsRoute)
        }
        let (known, unknown) = (unapplied.known, unapplied.unknown)
        // A value that is about to be set is run with from the next deploy on, unless what runs has it from before.
        let isDue = !known.isEmpty || plain.contains { $0.kind == .extra || carries($0.key, live) != true }
        let deploying = deployingRoute(for: live)
        // Whether they took effect is not known, and making sure would take what the spec does not allow: said, and left.
        let counted = !isDue && deploying.refusal != nil ? [] : unknown
        let differences = (plain + (known + counted).map { ConfigurationDifference($0, .notApplied) }).sorted()
        guard !differences.isEmpty else { return ObservedConfiguration(settings: settings) }
        return ObservedConfiguration(
            settings: settings, differences: differences, route: isDue || !counted.isEmpty ? deploying : settingsRoute)
    }

    var configurationNotes: [String] {
        var notes: [String] = []
        if desired != nil, let live, !unapplied.unknown.isEmpty, deployingRoute(for: live).refusal != nil {
            notes.append(
                "whether \(unapplied.unknown.joined(separator: ", ")) of env is what runs cannot be told: Render does not show the environment of a deploy"
            )
        }
        for (key, groups) in groupKeys.sorted(by: { $0.key < $1.key }) {
            let names = groups.sorted().joined(separator: ", ")
            if variables?[key] != nil {
                notes.append("\(key) is given by env group \(names) too; the service's own value wins")
            } else {
                notes.append("\(key) is given by env group \(names)")
            }
        }
        return notes
    }

    // MARK: - Ways

    private var settingsRoute: Route {
        let next = nextPart()
        return Route(
            .redeploy, means: "\(keysFirst())nothing more: what runs has it already", class: .instant,
            token: RenderWay.settings(service: service.id).token, part: next?.part.text, key: next?.key, isIdempotent: true)
    }

    /// The one way to make what is live run with what is set.
    private func deployingRoute(for live: RenderDeploy) -> Route {
        if service.isImageBacked { return imageRoute(to: live, and: unapplied.unrecorded) }
        if isLastBuild(live) {
            let next = nextPart(and: unapplied.unrecorded)
            return Route(
                .redeploy, means: "\(keysFirst(and: unapplied.unrecorded))one deploy without a build", class: .minutes,
                token: RenderWay.deployOnly(service: service.id).token, part: next?.part.text, key: next?.key, isIdempotent: next != nil,
                cautions: ["starts \(live.version ?? live.id) anew with the settings and variables of now"])
        }
        return buildRoute(
            to: live, and: unapplied.unrecorded,
            unless:
                "of \(live.version ?? live.id) only the last successful build could be deployed with other variables, and that is another release's"
        )
    }

    /// True if a deploy's build is surely the last one that succeeded, which is what Render deploys when it is not to build.
    private func isLastBuild(_ deploy: RenderDeploy) -> Bool {
        for other in deploys {
            // These built nothing, or nothing that could be deployed.
            if other.trigger == "rollback" || other.trigger == "deployed_by_render" || other.stage == .failed("build_failed") { continue }
            return other.id == deploy.id || (other.commit != nil && other.commit == deploy.commit)
        }
        return false
    }
}

/// Keys that are set as desired, and what runs was started without them: those of which that is known, and those of which it may be so.
struct NotApplied: Sendable {
    var known: [String] = []
    var unknown: [String] = []
    /// Those that are set once more, so that it is recorded since when they are.
    var unrecorded: [String] = []
}

extension Timestamp {
    static let distantFuture = Timestamp(millisecondsSinceEpoch: .max)
}
