import Model
import SpecFields

/// One entry of `spec.components`.
struct ComponentDeclaration: Sendable {
    /// Nil only after a mistake and while a schema is made.
    var target: (any Target)?
    var release: Pin
    var after: [String]
    var verify: [Check]
    var takeOwnership: Bool
    var allowRebuild: Bool
    var timeout: Duration

    static func form(targets: [TargetKind]) -> Form<ComponentDeclaration> {
        let alternatives = targets.map(\.alternative)
        let known = Set(targets.map(\.name))
        let announced = ["fly", "kubernetes", "render", "vercel"].filter { !known.contains($0) }
        return .object { ComponentDeclaration(&$0, targets: alternatives, announced: announced) }
    }

    private static let timeoutForm = Form.duration(.seconds(1) ... .seconds(24 * 3600))

    private init(_ fields: inout Fields, targets: [Alternative<any Target>], announced: [String]) {
        target = fields.exactlyOne(of: "a provider", targets, announced: announced)
        release = fields.required("release", Pin.form, "The pin: the release that is to run.")
        after = fields.optional(
            "after", default: [],
            "Components that must be served before this one when going forward, and that leave after it when going back.")
        verify = fields.optional("verify", CheckDeclaration.list, "Checks that run right after this component's own step.") ?? []
        takeOwnership = fields.optional(
            "takeOwnership", default: false, "Whether a field that another reconciler owns may be taken from it.")
        allowRebuild = fields.optional(
            "allowRebuild", default: false,
            "Whether the release may be built anew where its artifact is gone: minutes, and not the same bits.")
        timeout = fields.optional(
            "timeout", Self.timeoutForm, default: .seconds(600), "How long the release may take until it is served and healthy.")
        fields.announced(["env", "requires", "restoreEnv"])
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
