import Model

/// A random system of up to six components and two databases, with releases that declare windows, and states to find it in.
struct RandomSystem {
    struct Part {
        var name: String
        /// The oldest first.
        var releases: [Release]
        /// Per release, per database.
        var windows: [[String: VersionWindow]]
        var after: [ResourceID]
        var isChecked: Bool
        /// What deploys by itself before anybody fences it.
        var automation: Automation?
        /// Keys that a spec may name.
        var keys: [String]
        /// A key that no spec names.
        var foreignKey: String?
        var stoppage: Stoppage?
    }

    var parts: [Part] = []
    var databases: [(name: String, migrations: [DatabaseObservation.Migration], allowsDowntime: Bool)] = []
    var isChecked = false

    /// - Parameter schemas: whether there are databases.
    init(_ random: inout Random, schemas: Bool = true) {
        isChecked = random.chance(60)
        if schemas {
            for name in ["main", "stats"].prefix(random.number(0...2)) {
                let count = random.number(2...4)
                let migrations = (1...count).map { index in
                    DatabaseObservation.Migration(
                        version: "\(name)-\(index)", class: random.chance(20) ? .contract : .expand,
                        down: random.chance(90) ? .instant : nil)
                }
                databases.append((name, migrations, random.chance(30)))
            }
        }
        let names = ["api", "docs", "jobs", "mail", "site", "web"].shuffled(using: &random).prefix(random.number(1...6))
        for name in names { parts.append(Self.part(name, needing: parts, databases, &random)) }
    }

    /// Every part pins one of its releases and every database one of its versions.
    func system(_ random: inout Random) -> System {
        // Half of the systems pin what belongs together: the n-th release of everything with the n-th version of every schema.
        let common = random.chance(50) ? random.number(0...2) : nil
        let components = parts.map { part in
            let index = min(common ?? random.number(0...part.releases.count - 1), part.releases.count - 1)
            let named = part.keys.filter { _ in random.chance(70) }.map { key in
                (key, Configuration.Source.literal("\(key)-\(random.number(1...3))"))
            }
            return Component.make(
                part.name, pins: .name(part.releases[index].label), after: part.after, requires: part.windows[index],
                isChecked: part.isChecked,
                configuration: Configuration(
                    sources: Dictionary(uniqueKeysWithValues: named), policy: !named.isEmpty && random.chance(20) ? .exact : .named),
                isFenced: random.chance(75))
        }
        let pinned = databases.map { database in
            Database(
                name: database.name,
                schema: database.migrations[min(common ?? random.number(0...database.migrations.count - 1), database.migrations.count - 1)]
                    .version,
                allowsDowntime: database.allowsDowntime)
        }
        return .make(components.shuffled(using: &random), databases: pinned, isChecked: isChecked)
    }

    /// The world in which every pin of `system` is reached.
    func world(of system: System) -> World {
        var world = World()
        for component in system.components {
            guard let part = parts.first(where: { $0.name == component.name }) else { continue }
            let release = part.releases.first { .name($0.label) == component.release } ?? part.releases[0]
            world.components[component.id] = observation(part, live: release)
            var settings = component.configuration.settings
            if let key = part.foreignKey, component.configuration.policy == .named { settings[key] = .make("theirs") }
            world.components[component.id]?.configuration = ObservedConfiguration(settings: settings)
        }
        for database in system.databases {
            let migrations = databases.first { $0.name == database.name }?.migrations ?? []
            let count = (migrations.firstIndex { $0.version == database.schema } ?? -1) + 1
            world.databases[database.id] = DatabaseObservation(
                applied: migrations.prefix(count).map(\.version), migrations: migrations)
        }
        return world
    }

    func observation(_ part: Part, live: Release?) -> Observation {
        Observation(
            live: live.map { .release(declared: $0, serving: [$0]) } ?? .nothing,
            candidates: part.releases.reversed().map { Candidate($0, routes: [.make()]) },
            configuration: ObservedConfiguration(settings: [:]), automation: part.automation, stoppage: part.stoppage)
    }

    /// Releases that ran here once, recorded with their windows.
    func records() -> [ResourceID: [ReleaseRecord]] {
        var records: [ResourceID: [ReleaseRecord]] = [:]
        for part in parts {
            records[.component(part.name)] = zip(part.releases, part.windows).map { release, windows in
                ReleaseRecord(
                    resolution: .make(release.label), quality: .good, requires: windows, reached: Timestamp(millisecondsSinceEpoch: 0))
            }
        }
        return records
    }

    /// Disturbs a world: unknown, unsettled, never deployed, operations in flight, unreachable releases.
    func disturbed(_ world: World, _ random: inout Random) -> World {
        var world = world
        for part in parts {
            let id = ResourceID.component(part.name)
            guard let live = world.components[id]?.live.declared, let other = random.pick(part.releases) else { continue }
            switch random.number(0...19) {
            case 0, 1: world.components[id] = .unknown(.make("Unknown"))
            case 2: world.components[id]?.settlement = .progressing("1 of 2")
            case 3: world.components[id]?.settlement = .failed(.make("Crash"))
            case 4: world.components[id]?.settlement = .unknown(.make("Health"))
            case 5: world.components[id] = observation(part, live: nil)
            case 6: world.components[id]?.operation = Model.Operation(summary: "deploy", leadsTo: [.make(other.label)])
            case 7: world.components[id]?.blocker = .make("Owned")
            case 8:
                for index in part.releases.indices { world.components[id]?.candidates[index].routes = [.make(refusal: .make("Refused"))] }
            case 10:
                if let key = part.keys.first { world.components[id]?.configuration?.settings[key] = .make("somebody's") }
            case 11: world.components[id]?.configuration?.problem = .make("NoVariable")
            case 9: world.components[id]?.live = .release(declared: live, serving: [live, other])
            default: break
            }
        }
        for database in databases where random.chance(8) {
            world.databases[.database(database.name)]?.applied = nil
        }
        return world
    }

    private static func part(
        _ name: String, needing parts: [Part],
        _ databases: [(name: String, migrations: [DatabaseObservation.Migration], allowsDowntime: Bool)],
        _ random: inout Random
    ) -> Part {
        let count = random.number(2...4)
        let isTimed = random.chance(85)
        let releases = (1...count).map { index in
            Release.make("\(name)-v\(index)", created: .some(isTimed ? Int64(index) : nil))
        }
        let touched = databases.filter { _ in random.chance(50) }
        let windows = releases.indices.map { release in
            Dictionary(
                uniqueKeysWithValues: touched.compactMap { database -> (String, VersionWindow)? in
                    guard random.chance(75) else { return nil }
                    if random.chance(30) {
                        let only = database.migrations[min(release, database.migrations.count - 1)].version
                        return (database.name, VersionWindow(lowest: only, highest: only))
                    }
                    let low = random.number(0...database.migrations.count - 1)
                    let high = random.number(low...database.migrations.count - 1)
                    return (
                        database.name,
                        VersionWindow(
                            lowest: random.chance(60) ? database.migrations[low].version : nil,
                            highest: random.chance(60) ? database.migrations[high].version : nil)
                    )
                })
        }
        let after = parts.filter { _ in random.chance(35) }.map { ResourceID.component($0.name) }
        return Part(
            name: name, releases: releases, windows: windows, after: after + touched.map { .database($0.name) },
            isChecked: random.chance(50), automation: random.pick([.make(), .make(), .make("no"), .make(off: nil), nil]) ?? nil,
            keys: ["API_URL", "DSN", "LEVEL"].filter { _ in random.chance(40) }, foreignKey: random.chance(40) ? "THEIRS" : nil,
            stoppage: random.chance(80) ? .possible : random.chance(50) ? .impossible(.make("CannotStop")) : nil)
    }
}

extension Configuration {
    /// How everything is set that is named.
    var settings: [String: ConfigurationEntry] {
        sources.compactMapValues { source in
            guard case .literal(let value) = source else { return nil }
            return .make(value)
        }
    }
}

extension World {
    /// The world as it is observed for the sake of `system`: with what differs from what its components' configuration must be.
    func observed(for system: System) -> World {
        var world = self
        for component in system.components where !component.configuration.isEmpty {
            guard let settings = components[component.id]?.configuration?.settings else { continue }
            let desired = component.configuration.settings
            var differences: [ConfigurationDifference] = desired.compactMap { key, entry in
                settings[key] == nil ? .init(key, .missing) : settings[key] == entry ? nil : .init(key, .changed)
            }
            if component.configuration.policy == .exact {
                differences += settings.keys.filter { desired[$0] == nil }.map { ConfigurationDifference($0, .extra) }
            }
            world.components[component.id]?.configuration?.differences = differences.sorted()
            world.components[component.id]?.configuration?.route =
                differences.isEmpty ? nil : .make(.redeploy, means: "set the keys, then one deploy", token: "keys")
        }
        return world
    }
}
