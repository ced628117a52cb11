import Model
import ProviderKit

extension FlyReading {
    /// Nil where secrets were not read.
    var configuration: ObservedConfiguration? {
        guard var observed = compared else { return nil }
        observed.learned = unsetByIntent.mapValues { ConfigurationEntry(marker: FlyMark.removal(at: $0)) }
        return observed
    }

    private var compared: ObservedConfiguration? {
        guard let secrets else { return nil }
        var settings: [String: ConfigurationEntry] = [:]
        for secret in secrets { settings[secret.name] = ConfigurationEntry(marker: secret.digest) }
        let desired = request.configuration
        for key in Set(reachable.flatMap(\.environment.keys)).sorted() {
            let values = reachable.compactMap { $0.environment[key] }
            let wanted = desired?.values[key].flatMap { $0.isReference ? nil : $0.secret.reveal() }
            // Of a reference, the secret is what counts.
            if desired?.values[key]?.isReference == true, settings[key] != nil { continue }
            guard let shown = values.first(where: { $0 != wanted }) ?? values.first else { continue }
            settings[key] = request.keeper.entry(key, Secret(shown))
        }
        guard let desired else { return ObservedConfiguration(settings: settings) }
        let differences = differences(desired, settings, secrets)
        guard !differences.isEmpty, let digest = declaredDigest, let machine = reachable.first(where: { self.digest(of: $0) == digest })
        else { return ObservedConfiguration(settings: settings, differences: differences) }
        let way = FlyWay(image: "\(machine.image.repository)@\(digest)", isReconfiguration: true)
        let row = releases.first { $0.version == machine.releaseVersion && self.digest(of: $0) == digest }
        return ObservedConfiguration(settings: settings, differences: differences, route: route(.redeploy, way, digest, row))
    }

    private func differences(
        _ desired: DesiredConfiguration, _ settings: [String: ConfigurationEntry], _ secrets: [FlySecret]
    ) -> [ConfigurationDifference] {
        var inPlace = settings
        let names = Set(secrets.map(\.name))
        let running = reachable
        for (key, value) in desired.values {
            let isInEnvironment = running.contains { $0.environment[key] != nil }
            // What stands in the wrong place only is missing in the right one.
            if value.isReference ? !names.contains(key) : !isInEnvironment { inPlace[key] = nil }
        }
        var found = desired.differences(from: inPlace, known: request.knownConfiguration)
        func add(_ key: String, _ kind: ConfigurationDifference.Kind) {
            if !found.contains(where: { $0.key == key }) { found.append(ConfigurationDifference(key, kind)) }
        }
        for (key, value) in desired.values {
            if value.isReference {
                if running.contains(where: { $0.environment[key] != nil }) { add(key, .changed) }
                if running.contains(where: { unapplied(to: $0).contains(key) }) { add(key, .notApplied) }
            } else {
                if names.contains(key) { add(key, .changed) }
                if running.contains(where: { $0.environment[key] != value.secret.reveal() }) { add(key, .notApplied) }
            }
        }
        if desired.isExact {
            for key in Set(running.flatMap(\.environment.keys)) where desired.values[key] == nil { add(key, .extra) }
        }
        for key in running.flatMap(kept) { add(key, .notApplied) }
        return found.sorted()
    }

    /// Secrets that have to be set, and those that have to go, before machines are updated.
    var pendingSecrets: (set: [String], unset: [String]) {
        guard let desired = request.configuration, let secrets else { return ([], []) }
        var settings: [String: ConfigurationEntry] = [:]
        for secret in secrets { settings[secret.name] = ConfigurationEntry(marker: secret.digest) }
        let references = DesiredConfiguration(values: desired.values.filter(\.value.isReference))
        let set = references.differences(from: settings, known: request.knownConfiguration).map(\.key)
        let unset = secrets.map(\.name).filter { name in
            desired.values[name].map { !$0.isReference } ?? desired.isExact
        }
        return (set.sorted(), unset.sorted())
    }

    /// Secrets that the spec names and that the machine was started without, and those that it has though Belay has removed them.
    func unapplied(to machine: FlyMachine) -> [String] {
        guard let desired = request.configuration, !machine.isStopped else { return [] }
        return staged(for: machine).filter { desired.values[$0]?.isReference == true } + kept(by: machine)
    }

    /// Secrets that were removed after the machine was started. Fly.io tells nothing of a secret that is gone; the record does.
    private func kept(by machine: FlyMachine) -> [String] {
        guard let secrets, let booted = machine.booted, !machine.isStopped, request.configuration != nil else { return [] }
        let removals = request.knownConfiguration.compactMapValues { $0.marker.flatMap(FlyMark.removal) }
            .merging(unsetByIntent) { max($0, $1) }
        return removals.filter { key, removed in removed >= booted && !secrets.contains { $0.name == key } }.keys.sorted()
    }

    /// What the open intent has removed, with the time at which it is seen to be gone.
    private var unsetByIntent: [String: Timestamp] {
        guard case .unset(let key)? = request.openIntent.flatMap({ FlyPart($0.route.part) }), let secrets, let time,
            !secrets.contains(where: { $0.name == key })
        else { return [:] }
        return [key: time]
    }

    private func staged(for machine: FlyMachine) -> [String] {
        guard let booted = machine.booted, !machine.isStopped else { return [] }
        return (secrets ?? []).filter { secret in secret.updated.map { $0 > booted } ?? false }.map(\.name)
    }

    /// Secrets that running machines do not have yet: any update gives them to them.
    var stagedSecrets: [String] { Set(reachable.flatMap(staged)).sorted() }
}
