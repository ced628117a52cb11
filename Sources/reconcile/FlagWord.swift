import ArgumentParser
import Model
import SpecEditing

/// What a flag is to be, as it is said on the command line: `on`, `off`, `kill`, or a variant.
enum FlagWord: Sendable, Hashable, ExpressibleByArgument {
    case on, off, kill
    case variant(String)

    init?(argument: String) {
        switch argument.lowercased() {
        case "on", "true", "enabled": self = .on
        case "off", "false", "disabled": self = .off
        case "kill", "killed": self = .kill
        default: self = .variant(argument)
        }
    }

    /// True for what can be the name of a variant.
    static func isName(_ text: String) -> Bool { !text.isEmpty && !text.contains(where: \.isWhitespace) }

    static var allValueStrings: [String] { ["on", "off", "kill"] }

    /// The flag as the spec is to pin it. What the word does not speak of stays: a kill keeps the pin, `on` brings it back.
    ///
    /// - Parameters:
    ///   - rollout: in percent; nil leaves it.
    ///   - clears: whether a kill that somebody made by hand is to be cleared by it.
    func applied(to flag: FeatureFlag, rollout: Int?, clears: Bool) -> FeatureFlag {
        var flag = flag
        switch self {
        case .kill: flag.kill = true
        case .off: flag.setting.isOn = false
        case .on, .variant:
            flag.setting.isOn = true
            if case .variant(let variant) = self { flag.setting.variant = variant }
            if let rollout { flag.setting.rollout = rollout == 100 ? nil : rollout }
            if flag.kill == true || clears { flag.kill = false }
        }
        return flag
    }
}

extension FeatureFlag {
    /// The edits that make a spec say `new` where it says this.
    func edits(to new: FeatureFlag) -> [SpecEdit] {
        let path = ["spec", "flags", "values", name]
        let isPlain = setting.rollout == nil && setting.variant == nil && kill == nil && `guard` == nil
        // It may be written as true or as {enabled: true}: nobody but the text knows.
        if isPlain {
            guard new != self else { return [] }
            if new.setting.rollout == nil, new.setting.variant == nil, new.kill == nil {
                return [SpecEdit(path, .set(.bool(new.setting.isOn)))]
            }
            var entries = [EditedValue.Entry("enabled", .bool(new.setting.isOn))]
            if let rollout = new.setting.rollout { entries.append(.init("rollout", .integer(rollout))) }
            if let variant = new.setting.variant { entries.append(.init("variant", .text(variant))) }
            if let kill = new.kill { entries.append(.init("kill", .bool(kill))) }
            return [SpecEdit(path, .set(.mapping(entries)))]
        }
        var edits: [SpecEdit] = []
        func edit(_ key: String, _ isChanged: Bool, _ value: EditedValue?) {
            guard isChanged else { return }
            edits.append(SpecEdit(path + [key], value.map { .set($0) } ?? .remove))
        }
        edit("enabled", new.setting.isOn != setting.isOn, .bool(new.setting.isOn))
        edit("rollout", new.setting.rollout != setting.rollout, new.setting.rollout.map { .integer($0) })
        edit("variant", new.setting.variant != setting.variant, new.setting.variant.map { .text($0) })
        edit("kill", new.kill != kill, new.kill.map { .bool($0) })
        return edits
    }

    /// The pin for people: `on for 25 %, kill: true`.
    var pinText: String { setting.description + (kill.map { ", kill: \($0)" } ?? "") }
}
