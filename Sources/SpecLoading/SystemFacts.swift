import Model
import SpecFields
import YAMLReading

/// What a document claims for its system: its name, the providers' targets, and flags. Kept until all files are read.
///
/// Taken from the nodes where the document has mistakes, so that a mistake elsewhere in it hides no claim.
struct SystemFacts {
    /// A provider's target that a component says is its own.
    struct Claim {
        var component: String
        var target: Target
        var mark: YAMLMark

        struct Target: Hashable {
            var provider: String
            var identity: String
        }
    }

    let file: String
    /// Nil when the document does not tell a name.
    let id: SystemID?
    private let nameMark: YAMLMark
    private let claims: [Claim]
    private let flags: [FlagClaim]
    private let databases: [DatabaseClaim]

    /// A database whose schema the system moves.
    private struct DatabaseClaim {
        var name: String
        var connection: Database.Connection
        var mark: YAMLMark
    }

    /// - Parameter read: the system, when the document had no mistake.
    init(_ document: YAMLNode, in file: String, read system: System?, targets: [TargetKind], flagTargets: [FlagTargetKind]) {
        self.file = file
        flags = FlagClaim.all(in: document, file: file, read: system, kinds: flagTargets)
        let places = document["spec"]?["databases"]?.entries ?? []
        databases = (system?.databases ?? []).map { database in
            let mark = places.first { $0.key == database.name }?.keyMark ?? document.mark
            return DatabaseClaim(name: database.name, connection: database.connection, mark: mark)
        }
        let metadata = document["metadata"]
        let name = metadata?["name"]
        nameMark = name?.mark ?? document.mark
        id = system?.id ?? name?.string.map { SystemID(namespace: metadata?["namespace"]?.string ?? "default", name: $0) }
        let entries = document["spec"]?["components"]?.entries ?? []
        var claims: [Claim] = []
        claims.reserveCapacity(entries.count)
        for (index, entry) in entries.enumerated() {
            if let target = system?.components[index].target {
                let mark = entry.value[target.provider]?.mark ?? entry.keyMark
                claims.append(Claim(component: entry.key, target: .init(provider: target.provider, identity: target.identity), mark: mark))
            } else if let kind = targets.first(where: { entry.value[$0.name] != nil }), let node = entry.value[kind.name],
                // Its mistakes were reported when the document was read.
                let target = kind.read(node, SpecReading(file: file))?.resolvingPaths({ SystemDeclaration.path($0, besides: file) })
            {
                claims.append(
                    Claim(component: entry.key, target: .init(provider: target.provider, identity: target.identity), mark: node.mark))
            }
        }
        self.claims = claims
    }

    /// Names and targets that stand in two places.
    static func mistakes(in systems: [SystemFacts]) -> [Diagnostic] {
        var mistakes: [Diagnostic] = []
        var names: [SystemID: Int] = [:]
        var claims: [Claim.Target: (system: Int, claim: Int)] = [:]
        var flags: [FlagClaim.Subject: (system: Int, claim: FlagClaim)] = [:]
        var databases: [Database.Connection: (system: Int, claim: DatabaseClaim)] = [:]
        names.reserveCapacity(systems.count)
        claims.reserveCapacity(systems.reduce(0) { $0 + $1.claims.count })
        for (index, system) in systems.enumerated() {
            if let id = system.id {
                if let first = names[id] {
                    let place = systems[first].place(systems[first].nameMark)
                    mistakes.append(system.mistake(system.nameMark, "metadata.name", "a system \(id) stands already at \(place)"))
                } else {
                    names[id] = index
                }
            }
            for (position, claim) in system.claims.enumerated() {
                if let first = claims[claim.target] {
                    mistakes.append(system.mistake(claim, systems[first.system], systems[first.system].claims[first.claim]))
                } else {
                    claims[claim.target] = (index, position)
                }
            }
            for claim in system.databases {
                if let first = databases[claim.connection] {
                    let owner = systems[first.system]
                    let whose = owner.id == system.id ? "" : " of \(owner.id?.description ?? "another system")"
                    mistakes.append(
                        system.mistake(
                            claim.mark, "spec.databases.\(claim.name)",
                            "the same database is \(first.claim.name)\(whose) already, at \(owner.place(first.claim.mark))"))
                } else {
                    databases[claim.connection] = (index, claim)
                }
            }
            for claim in system.flags {
                if let first = flags[claim.subject] {
                    let owner = systems[first.system]
                    mistakes.append(
                        system.mistake(
                            claim.mark, "spec.flags.values.\(claim.subject.flag)",
                            "\(claim.subject.flag) of \(claim.place) belongs to \(owner.id?.description ?? "another system") already, at "
                                + owner.place(first.claim.mark)))
                } else {
                    flags[claim.subject] = (index, claim)
                }
            }
        }
        return mistakes
    }

    private func mistake(_ claim: Claim, _ owner: SystemFacts, _ first: Claim) -> Diagnostic {
        let system = owner.id == id ? "" : " of \(owner.id?.description ?? "another system")"
        return mistake(
            claim.mark, "spec.components.\(claim.component).\(claim.target.provider)",
            "\(claim.target.provider) \(claim.target.identity) belongs to component \(first.component)\(system) already, at \(owner.place(first.mark))"
        )
    }

    private func place(_ mark: YAMLMark) -> String { "\(file):\(mark.line):\(mark.column)" }

    private func mistake(_ mark: YAMLMark, _ path: String, _ message: String) -> Diagnostic {
        Diagnostic(file: file, at: mark, path: path, message: message)
    }
}
