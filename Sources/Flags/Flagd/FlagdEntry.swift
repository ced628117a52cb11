import JSONValues
import Model

/// One flag of a flagd definition.
///
/// | setting | written |
/// |---|---|
/// | off | `state` ENABLED, `defaultVariant` the off variant, no `targeting`. Never DISABLED, and never without a default: both make flagd serve no value, and the application its own default, which may be on. |
/// | on | `defaultVariant` the on variant; no `targeting` but what somebody else wrote |
/// | on for N % | `targeting` a `fractional` over flag key and targeting key that names the on variant first, so that a larger N keeps the first users; `defaultVariant` off |
///
/// Rules that somebody else wrote belong to them. They are on with the flag: a flag that has such rules is read as on, whatever its default,
/// because some users may be. They are taken away where they must be, to turn the flag off and for a rollout, and are then kept as texts in
/// the flag's `metadata` (which holds scalars only), under `belay.targeting` with the default of then under `belay.defaultVariant`. When the
/// flag goes on again for everybody, they come back.
struct FlagdEntry {
    private var json: JSON
    private let name: String
    private let place: String

    static let keptTargeting = "belay.targeting"
    static let keptDefault = "belay.defaultVariant"

    init(_ json: JSON, name: String, place: String) {
        self.json = json
        self.name = name
        self.place = place
    }

    /// A flag that is not there yet.
    static func new(_ name: String, place: String) -> FlagdEntry {
        FlagdEntry(
            [
                "state": "ENABLED", "variants": ["on": true, "off": false], "defaultVariant": "off",
                "metadata": ["managed_by": "belay"],
            ], name: name, place: place)
    }

    // MARK: - Variants

    private var variants: JSONObject { json["variants"]?.object ?? JSONObject() }

    /// The variant that stands for a state: the only one of that Boolean value, else the one of that name.
    private func variant(_ state: Bool) -> String? {
        let fitting = variants.members.filter { $0.value.bool == state }.map(\.key)
        if fitting.count == 1 { return fitting[0] }
        let name = state ? "on" : "off"
        guard let value = variants[name], value.bool == nil || value.bool == state else { return nil }
        return name
    }

    private func needed(_ state: Bool) throws(Problem) -> String {
        if let variant = variant(state) { return variant }
        throw Problem(
            "VariantUnclear",
            "\(place): which variant of \(name) is \(state ? "on" : "off") cannot be told: it has \(variantList)",
            next: state
                ? "name one of its variants in the spec, or give the flag a variant on"
                : "give the flag a variant off, which is what a kill serves")
    }

    private var variantList: String { variants.isEmpty ? "no variants" : variants.keys.sorted().joined(separator: ", ") }

    // MARK: - Reading

    /// An empty object is no rule.
    private var targeting: JSON? {
        guard let targeting = json["targeting"], targeting != [:] else { return nil }
        return targeting
    }

    var observation: FlagObservation {
        var observation = FlagObservation(marker: digest(json.description))
        guard let off = variant(false) else {
            do throws(Problem) { _ = try needed(false) } catch { observation.problem = error }
            return observation
        }
        let kept = json["metadata"]?[Self.keptTargeting] != nil
        let standard = json["defaultVariant"]?.string
        if json["state"]?.string != "ENABLED" {
            observation.notes.append(
                "\(name) is \(json["state"]?.string ?? "without a state") in flagd: it serves no value, so that applications use the default in their code"
            )
        } else if let targeting {
            if let rollout = Rollout(targeting), rollout.rest == off, standard == off {
                observation.setting = FlagSetting(isOn: true, rollout: rollout.percent, variant: spoken(rollout.variant))
            } else {
                observation.setting = FlagSetting(isOn: true, variant: standard.flatMap { $0 == off ? nil : spoken($0) })
                observation.notes.append(
                    "\(name) has targeting rules of its own, which decide before its default \(standard ?? "(none)"); a kill takes them away and keeps them for later"
                )
            }
        } else if let standard, variants[standard] != nil {
            observation.setting = standard == off ? .off : FlagSetting(isOn: true, variant: spoken(standard))
        } else {
            observation.notes.append(
                "\(name) has no default variant in flagd: it serves no value, so that applications use the default in their code")
        }
        if kept { observation.notes.append("\(name) had targeting rules of its own; they come back when it goes on for everybody") }
        return observation
    }

    /// Nil for the variant that needs no name.
    private func spoken(_ variant: String) -> String? { variant == self.variant(true) ? nil : variant }

    // MARK: - Writing

    /// The flag's definition with that setting.
    func set(to setting: FlagSetting) throws(Problem) -> JSON {
        let off = try needed(false)
        var changed = self
        changed.json["state"] = "ENABLED"
        guard setting.isOn else {
            changed.takeRulesAway()
            changed.json["defaultVariant"] = .string(off)
            return changed.json
        }
        let variant = try served(setting, off)
        if let percent = setting.rollout {
            changed.takeRulesAway()
            changed.json["defaultVariant"] = .string(off)
            changed.json["targeting"] = Rollout(variant: variant, percent: percent, rest: off).json
            return changed.json
        }
        if changed.isRolledOut(off) { changed.json["targeting"] = nil }
        changed.json["defaultVariant"] = .string(variant)
        changed.bringRulesBack(for: setting)
        return changed.json
    }

    private func served(_ setting: FlagSetting, _ off: String) throws(Problem) -> String {
        guard let variant = setting.variant else { return try needed(true) }
        guard variants[variant] != nil else {
            throw Problem(
                "VariantUnknown", "\(place): \(name) has no variant \(variant): it has \(variantList)",
                next: "correct the variant in the spec, or define it in flagd")
        }
        guard variant != off, variant != self.variant(true) else {
            throw Problem(
                "VariantNotNeeded",
                "\(place): the variant \(variant) is what \(name) serves when it is \(variant == off ? "off" : "on")",
                next: "leave the variant out and write \(variant == off ? "off" : "on")")
        }
        return variant
    }

    private func isRolledOut(_ off: String) -> Bool {
        guard let targeting, let rollout = Rollout(targeting) else { return false }
        return rollout.rest == off && json["defaultVariant"]?.string == off
    }

    private mutating func takeRulesAway() {
        guard let targeting else {
            json["targeting"] = nil
            return
        }
        if !isRolledOut(variant(false) ?? "") {
            var metadata = json["metadata"] ?? [:]
            metadata[Self.keptTargeting] = .string(targeting.description)
            metadata[Self.keptDefault] = json["defaultVariant"]?.string.map(JSON.string)
            json["metadata"] = metadata
        }
        json["targeting"] = nil
    }

    /// Only where there are no newer ones, and with the default of then if the flag is then set as it was asked for.
    private mutating func bringRulesBack(for setting: FlagSetting) {
        guard let kept = json["metadata"]?[Self.keptTargeting]?.string else { return }
        let standard = json["metadata"]?[Self.keptDefault]?.string
        if targeting == nil, let rules = try? JSON(parsing: kept), rules.object != nil {  // What is no JSON any more is no rule.
            json["targeting"] = rules
            if let standard, variants[standard] != nil {
                var former = self
                former.json["defaultVariant"] = .string(standard)
                if former.observation.setting == setting { self = former }
            }
        }
        guard var metadata = json["metadata"]?.object else { return }
        metadata[Self.keptTargeting] = nil
        metadata[Self.keptDefault] = nil
        if metadata.isEmpty { json["metadata"] = nil } else { json["metadata"] = .object(metadata) }
    }
}

/// A share of the users, as flagd's `fractional` says it.
private struct Rollout {
    var variant: String
    var percent: Int
    var rest: String

    init(variant: String, percent: Int, rest: String) {
        self.variant = variant
        self.percent = percent
        self.rest = rest
    }

    /// Nil for rules that say anything else. A share of other weights than 100 is read where it is a whole number of percent.
    init?(_ targeting: JSON) {
        guard let object = targeting.object, object.keys == ["fractional"], var parts = object["fractional"]?.array else { return nil }
        // Without an expression flagd takes flag key and targeting key itself.
        if parts.first?.object != nil {
            guard parts.first == Self.bucketing else { return nil }
            parts.removeFirst()
        }
        guard parts.count == 2, let variant = parts[0][0]?.string, let rest = parts[1][0]?.string, variant != rest,
            let share = parts[0][1]?.integer, let other = parts[1][1]?.integer, share >= 0, other >= 0, share <= 1 << 31, other <= 1 << 31,
            share + other > 0, share * 100 % (share + other) == 0
        else { return nil }
        self.init(variant: variant, percent: share * 100 / (share + other), rest: rest)
    }

    private static let bucketing: JSON = ["cat": [["var": "$flagd.flagKey"], ["var": "targetingKey"]]]

    var json: JSON {
        ["fractional": [Self.bucketing, [.string(variant), .integer(percent)], [.string(rest), .integer(100 - percent)]]]
    }
}
