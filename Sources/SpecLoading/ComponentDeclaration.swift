import Model
import SpecFields

/// One entry of `spec.components`.
struct ComponentDeclaration: Sendable {
    /// Nil only after a mistake and while a schema is made.
    var target: (any Target)?
    var release: Pin
    var after: [String]
    var requires: SpecMap<VersionWindow>
    var verify: [Check]
    var takeOwnership: Bool
    var allowRebuild: Bool
    var configuration: Configuration
    var fence: Bool
    var timeout: Duration

    static func form(targets: [TargetKind]) -> Form<ComponentDeclaration> {
        let alternatives = targets.map(\.alternative)
        let known = Set(targets.map(\.name))
        let announced = ["fly", "kubernetes", "render", "vercel"].filter { !known.contains($0) }
        let withoutReleases = Set(targets.filter { !$0.hasReleases }.map(\.name))
        return .object { ComponentDeclaration(&$0, targets: alternatives, announced: announced, withoutReleases: withoutReleases) }
    }

    private static let timeoutForm = Form.duration(.seconds(1) ... .seconds(24 * 3600))

    private static let requiresForm = Form<SpecMap<VersionWindow>>.map(keys: .name, of: VersionWindow.form)
    private static let policyForm = Form.choice(Configuration.Policy.allCases.map(\.rawValue))
    private static let environmentForm = Form.map(keys: .environmentName, of: Configuration.Source.form)

    private init(
        _ fields: inout Fields, targets: [Alternative<any Target>], announced: [String], withoutReleases: Set<String>
    ) {
        target = fields.exactlyOne(of: "a provider", targets, announced: announced)
        release = Self.release(&fields, of: target, withoutReleases)
        after = fields.optional(
            "after", default: [],
            "Components that must be served before this one when going forward, and that leave after it when going back; and databases that it uses."
        )
        requires =
            fields.optional(
                "requires", Self.requiresForm,
                "Which schemas this release tolerates, by database: \">=20240601_a <=20240611_b\". Remembered with the release.")
            ?? SpecMap()
        verify = fields.optional("verify", CheckDeclaration.list, "Checks that run right after this component's own step.") ?? []
        takeOwnership = fields.optional(
            "takeOwnership", default: false, "Whether a field that another reconciler owns may be taken from it.")
        allowRebuild = fields.optional(
            "allowRebuild", default: false,
            "Whether the release may be built anew where its artifact is gone: minutes, and not the same bits.")
        let environment = fields.optional(
            "env", Self.environmentForm,
            "Configuration that must be set: a value for each key, or fromEnv, fromFile or fromSecret {name, key} for one that does not stand here. Keys that are not named are left alone."
        )
        let policy = fields.optional(
            "envPolicy", Self.policyForm, default: Configuration.Policy.named.rawValue,
            "Whether keys that env does not name are left alone (named) or removed (exact).")
        let restores = fields.optional(
            "restoreEnv", default: false,
            "Whether an undo brings the keys that env does not name back to what was recorded with the release.")
        configuration = Configuration(
            sources: Dictionary((environment?.entries ?? []).map { ($0.key, $0.value) }) { first, _ in first },
            policy: Configuration.Policy(rawValue: policy) ?? .named,
            restores: restores)
        fence = fields.optional(
            "fence", default: true,
            "Whether the provider's own automation (Render's auto-deploy, Vercel's assignment of domains) is switched off before the pin is acted on, and kept off."
        )
        timeout = fields.optional(
            "timeout", Self.timeoutForm, default: .seconds(600), "How long the release may take until it is served and healthy.")
    }
}

extension ComponentDeclaration {
    /// Required, except where the target holds configuration only.
    private static func release(_ fields: inout Fields, of target: (any Target)?, _ withoutReleases: Set<String>) -> Pin {
        let doc = "The pin: the release that is to run."
        guard !withoutReleases.isEmpty else { return fields.required("release", Pin.form, doc) }
        let needsNone = target.map { withoutReleases.contains($0.provider) } ?? false
        let pin = fields.optional(
            "release", Pin.form, doc + " Required, except where the target holds configuration only.", isNeeded: !needsNone)
        guard let target, needsNone else { return pin ?? .name("") }
        if pin != nil { fields.report("has no place here: \(target.provider) holds configuration only", at: "release") }
        return .name("configuration")
    }
}

extension Pin {
    /// A release name, or a mapping that says which kind of name it is.
    static let form = Form.scalar(Form.string(.release).map(Pin.name)) { fields in
        let kinds = [
            Alternative("commit", .string(commitDigits), "A Git commit found in the provider's metadata.", Pin.commit),
            Alternative("image", .string(.release), "A container image: a tag, a digest, or a whole reference.", Pin.image),
            Alternative("revision", .integer(1...Int.max), "A revision number of the provider.", Pin.revision),
            Alternative("deployment", .string(.release), "The provider's id of a deployment.", Pin.deployment),
        ]
        return fields.exactlyOne(of: "a kind of release", kinds) ?? .name("")
    }

    private static let commitDigits = StringRule(pattern: "^[0-9a-fA-F]{7,64}$", hint: "7 to 64 hexadecimal digits of a commit") { text in
        (7...64).contains(text.utf8.count) && text.utf8.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
    }
}
