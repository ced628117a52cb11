import Model
import SpecFields
import YAMLReading

/// `spec.flags`.
struct FlagsDeclaration: Sendable {
    /// Nil only after a mistake and while a schema is made.
    var store: (any FlagTarget)?
    var values: [FeatureFlag]
    var propagation: Duration?

    static func form(stores: [FlagTargetKind]) -> Form<FlagsDeclaration> {
        let alternatives = stores.map(\.alternative)
        let store = Form<StoreChoice>.object { fields in StoreChoice(target: fields.exactlyOne(of: "a store", alternatives)) }
        return .object { fields in
            let chosen: StoreChoice = fields.required("store", store, "Where the applications read their flags.")
            let values: SpecMap<FeatureFlag> = fields.required("values", valuesForm, "How each flag is to be set, by name.")
            let propagation: Duration? = fields.optional(
                "propagation",
                "How long applications may see the old value after a change: what a flag that went off belongs to waits for it. By default "
                    + "what the store promises.")
            if let store = chosen.target, !type(of: store).hasVariants {
                for entry in values.entries where entry.value.setting.variant != nil {
                    fields.report("\(entry.key) names a variant, and the store \(store.store) knows only on and off", at: "values")
                }
            }
            return FlagsDeclaration(
                store: chosen.target,
                values: values.entries.map { entry in
                    var flag = entry.value
                    flag.name = entry.key
                    return flag
                }, propagation: propagation)
        }
    }

    private struct StoreChoice: Sendable {
        var target: (any FlagTarget)?
    }

    private static let valuesForm = Form<SpecMap<FeatureFlag>>.map(keys: .flag, of: flagForm)
    private static let rolloutForm = Form.integer(0...100)

    private static let flagForm = Form<FeatureFlag>.scalar(
        Form<Bool>.standard.map { FeatureFlag(name: "", setting: FlagSetting(isOn: $0)) }
    ) {
        fields in
        FeatureFlag(
            name: "",
            setting: FlagSetting(
                isOn: fields.required("enabled", "Whether the flag is on."),
                rollout: fields.optional("rollout", rolloutForm, "For how many percent of the users; all of them when it is left out."),
                variant: fields.optional("variant", .string(.release), "The variant that is served where it is on.")),
            kill: fields.optional("kill", "true: off, whatever else is said; false clears a kill that was made by hand."),
            guard: fields.optional("guard", guardForm, "What must be there before the flag may be on."))
    }

    private static let guardForm = Form<FlagGuard>.object { fields in
        let `guard` = FlagGuard(
            component: fields.optional("component", .string(.name), "The component whose code knows the flag."),
            release: fields.optional("release", "The oldest release that does: \">=v1.42\"."),
            database: fields.optional("database", .string(.name), "The database whose schema the flag's code needs."),
            schema: fields.optional("schema", "The migration that it needs at least."))
        if (`guard`.component == nil) != (`guard`.release == nil) { fields.report("component and release belong together") }
        if (`guard`.database == nil) != (`guard`.schema == nil) { fields.report("database and schema belong together") }
        return `guard`
    }
}

extension StringRule {
    /// What every store takes.
    static let flag = StringRule(
        pattern: "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$", hint: "a flag's name: letters, digits, '_', '-' and '.', at most 255"
    ) { text in
        guard (1...255).contains(text.utf8.count), let first = text.utf8.first, first != 0x2D, first != 0x2E else { return false }
        return text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || [0x2D, 0x2E, 0x5F].contains($0)
        }
    }
}
