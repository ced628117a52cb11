import Model
import ProviderKit

extension RenderReading {
    private var desired: DesiredConfiguration? { request.configuration }

    // MARK: - What is set, and since when

    /// What is set at the service, each with what is known of its past. Empty when it was not read.
    var settings: [String: ConfigurationEntry] {
        var settings: [String: ConfigurationEntry] = [:]
        for (key, value) in variables ?? [:] {
            var entry = request.keeper.entry(key, value)
            if let fingerprint = entry.fingerprint, let history = history(of: key, fingerprint) {
                // An own deploy that is live was made with everything that is set.
                let known = ownSince.map(history.inForce) ?? history
                entry.marker = known.text
            }
            settings[key] = entry
        }
        return settings
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
                guard let found = self.deploy(target), (found.created ?? .distantPast) < (deploy.created ?? .distantPast) else {
                    return nil
                }
                return origins(of: found)
            }
            let same = served(before: deploy).filter { $0.identity == deploy.identity }
            let all = same.map { $0.trigger == "rollback" ? nil : origins(of: $0) }
            let known = all.compactMap(\.self)
            return known.isEmpty || known.count < all.count ? nil : known.flatMap(\.self)
        case "deployed_by_render": return served(before: deploy).first.flatMap(origins)
        default: return [deploy]
        }
    }

    /// Whether a deploy runs, or ran, with a named key's desired value; nil when that is not known.
    func carries(_ key: String, _ deploy: RenderDeploy) -> Bool? {
        guard let value = desired?.values[key] else { return nil }
        let known = request.knownConfiguration[key]
        var history = ValueHistory(known?.marker)
        if let now = time, let fingerprint = variables?[key].map({ request.keeper.entry(key, $0) })?.fingerprint {
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
            // What was live when the value was first recorded is taken to have it.
            guard deploy.id == live?.id, let first = ValueHistory(known?.marker).entries.first, !first.isSet else { return nil }
            return history.wasValue(value.fingerprint, at: first.since)
        }
        if answers.allSatisfy({ $0 == true }) { return true }
        return answers.allSatisfy { $0 == false } ? false : nil
    }

    /// Of the keys that the spec names, those that a deploy is not known to run with, sorted.
    func missing(from deploy: RenderDeploy) -> [String] {
        (desired?.values.keys.sorted() ?? []).filter { carries($0, deploy) != true }
    }

    // MARK: - What differs

    private var plainDifferences: [ConfigurationDifference] {
        desired?.differences(from: settings, known: request.knownConfiguration) ?? []
    }

    /// Keys that are set as desired, and what runs was started without them: those of which that is known, and the others.
    private var unapplied: (known: [String], unknown: [String]) {
        guard let desired, let live, !service.isSuspended else { return ([], []) }
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
            // Removed by Belay, and not known to have been left out by what runs.
            for (key, entry) in request.knownConfiguration where variables?[key] == nil && desired.values[key] == nil && ownSince == nil {
                guard let removed = entry.marker.flatMap(Self.removal) else { continue }
                if let origins = origins(of: live), origins.allSatisfy({ $0.created.map { $0 >= removed } ?? false }) { continue }
                known.append(key)
            }
        }
        return (known.sorted(), unknown)
    }

    /// What is recorded of a key that was removed: since when.
    static func removalMarker(at time: Timestamp) -> String { "-@\(time)" }

    private static func removal(_ marker: String) -> Timestamp? {
        marker.hasPrefix("-@") ? Timestamp(String(marker.dropFirst(2))) : nil
    }

    /// The next write of a key on the way to what is desired; nil when the settings are as desired.
    func nextPart() -> (part: RenderPart, key: String?)? {
        guard let first = plainDifferences.first else { return nil }
        guard first.kind != .extra else { return (.remove(key: first.key), nil) }
        let past = variables?[first.key].flatMap { request.keeper.entry(first.key, $0).fingerprint }.flatMap { history(of: first.key, $0) }
        return (.set(key: first.key, past: (past ?? ValueHistory(request.knownConfiguration[first.key]?.marker)).text), first.key)
    }

    /// `set 2 keys, then `, in front of what follows; empty when the settings are as desired.
    var keysFirst: String {
        let keys = plainDifferences
        guard !keys.isEmpty else { return "" }
        let removed = keys.count { $0.kind == .extra }
        let words = [(keys.count - removed, "set"), (removed, "remove")].filter { $0.0 > 0 }
            .map { "\($0.1) \($0.0) \($0.0 == 1 ? "key" : "keys")" }
        return words.joined(separator: " and ") + ", then "
    }

    var observedConfiguration: ObservedConfiguration? {
        guard variables != nil else { return nil }
        guard desired != nil else { return ObservedConfiguration(settings: settings) }
        let plain = plainDifferences
        guard let live else {
            return ObservedConfiguration(settings: settings, differences: plain, route: plain.isEmpty ? nil : settingsRoute)
        }
        let (known, unknown) = unapplied
        // A value that is about to be set is run with from the next deploy on, unless what runs has it from before.
        let isDue = !known.isEmpty || plain.contains { $0.kind == .extra || carries($0.key, live) != true }
        let route = isDue || !unknown.isEmpty ? deployingRoute(for: live) : settingsRoute
        // Whether it took effect is not known, and finding out would take what the spec does not allow: said, and left.
        let counted = !isDue && route.refusal != nil ? [] : unknown
        let differences = (plain + (known + counted).map { ConfigurationDifference($0, .notApplied) }).sorted()
        return ObservedConfiguration(
            settings: settings, differences: differences,
            route: differences.isEmpty ? nil : counted.isEmpty && !isDue ? settingsRoute : route)
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
            .redeploy, means: "\(keysFirst)nothing more: what runs has it already", class: .instant,
            token: RenderWay.settings(service: service.id).token, part: next?.part.text, key: next?.key, isIdempotent: true)
    }

    /// The one way to make what is live run with what is set.
    private func deployingRoute(for live: RenderDeploy) -> Route {
        if service.isImageBacked { return imageRoute(to: live) }
        if isLastBuild(live) {
            let next = nextPart()
            return Route(
                .redeploy, means: "\(keysFirst)one deploy without a build", class: .minutes,
                token: RenderWay.deployOnly(service: service.id).token, part: next?.part.text, key: next?.key, isIdempotent: next != nil,
                cautions: ["starts \(live.version ?? live.id) anew with the settings and variables of now"])
        }
        return buildRoute(
            to: live,
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

extension Timestamp {
    static let distantFuture = Timestamp(millisecondsSinceEpoch: .max)
}
