import Model
import SpecFields
import YAMLReading

/// A flag of a store that a system says is its own.
struct FlagClaim {
    struct Subject: Hashable {
        /// What tells one store from another, whatever a spec calls the database that it lives in.
        var store: String
        var flag: String
    }

    var subject: Subject
    /// For people: `sql/main/feature_flags`.
    var place: String
    var mark: YAMLMark

    /// - Parameter read: the system, when the document had no mistake. Else a store in a database claims nothing: where that is cannot be told.
    static func all(in document: YAMLNode, file: String, read system: System?, kinds: [FlagTargetKind]) -> [FlagClaim] {
        let node = document["spec"]?["flags"]
        guard let node, let target = system?.flags?.store ?? readTarget(node, file: file, kinds) else { return [] }
        var store = target.place
        if let name = target.database {
            guard let database = system?.databases.first(where: { $0.name == name }) else { return [] }
            store = "\(target.store)/\(database.connection)/\(target.identity.dropFirst(name.count))"
        }
        return (node["values"]?.entries ?? []).map { entry in
            FlagClaim(subject: Subject(store: store, flag: entry.key), place: target.place, mark: entry.keyMark)
        }
    }

    private static func readTarget(_ node: YAMLNode, file: String, _ kinds: [FlagTargetKind]) -> (any FlagTarget)? {
        for kind in kinds {
            guard let field = node["store"]?[kind.name] else { continue }
            // Its mistakes were reported when the document was read.
            return kind.read(field, SpecReading(file: file))?.resolvingPaths { SystemDeclaration.path($0, besides: file) }
        }
        return nil
    }
}
