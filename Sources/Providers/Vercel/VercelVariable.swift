import JSONValues
import Model
import ProviderKit

/// An environment variable of a project. A key may occur several times with other targets: what it is known by is its id.
struct VercelVariable: Sendable, Hashable {
    enum Kind: String, Sendable { case plain, encrypted, sensitive, system, secret }

    static let production = "production"

    var id: String
    var key: String
    /// Nil for a word that is not known: taken for one that cannot be read.
    var kind: Kind?
    /// Nil when the answer does not tell it in clear.
    var value: Secret?
    var targets: [String]
    var customEnvironments: [String]
    var created: Timestamp?
    var updated: Timestamp?
    /// True if Vercel, a store or an integration put it there.
    var isForeign: Bool

    /// Nil when it has no id or no key.
    init?(_ json: JSON?) {
        guard let json, let id = json["id"]?.string, !id.isEmpty, let key = json["key"]?.string, !key.isEmpty else { return nil }
        self.id = id
        self.key = key
        kind = json["type"]?.string.flatMap(Kind.init)
        // A plain value is always told; an encrypted one is its ciphertext unless the answer says that it was decrypted.
        if kind == .plain || kind == .encrypted && json["decrypted"]?.bool == true { value = json["value"]?.string.map(Secret.init) }
        targets = json["target"]?.string.map { [$0] } ?? json["target"]?.elements.compactMap(\.string) ?? []
        customEnvironments = json["customEnvironmentIds"]?.elements.compactMap(\.string) ?? []
        created = json["createdAt"]?.timestamp
        updated = json["updatedAt"]?.timestamp
        isForeign =
            kind == .system || json["system"]?.bool == true || json["configurationId"]?.string != nil || json["contentHint"]?.object != nil
            || json["internalContentHint"]?.object != nil || json["edgeConfigId"]?.string != nil
    }

    var isForProduction: Bool { targets.contains(Self.production) }
    /// Where else it is set.
    var otherTargets: [String] { targets.filter { $0 != Self.production } }
    var isShared: Bool { !otherTargets.isEmpty || !customEnvironments.isEmpty }
    /// When it last became what it is; nil when the answer does not say.
    var changed: Timestamp? { [created, updated].compactMap(\.self).max() }

    /// It changes with every change of the variable, and with nothing else.
    var marker: String? { updated.map { "\(id)@\($0.millisecondsSinceEpoch)" } }

    func entry(_ keeper: ConfigurationKeeper) -> ConfigurationEntry {
        value.map { keeper.entry(key, $0, marker: marker) } ?? ConfigurationEntry(marker: marker)
    }
}

/// The variables of a project, as far as the token may see them.
struct VercelVariables: Sendable {
    var all: [VercelVariable]
    /// How many of production the token may not see.
    var hidden: Int
}
