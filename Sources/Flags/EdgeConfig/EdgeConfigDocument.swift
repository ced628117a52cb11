import JSONValues
import Model

/// The value of an Edge Config's item: a mapping from names to `true`, `false` or `{enabled, rollout, variant}`.
struct EdgeConfigDocument: FlagDocument {
    private(set) var json: JSON
    private let place: String

    /// - Parameter place: for messages.
    init(_ json: JSON, place: String) throws(Problem) {
        guard json.object != nil else {
            throw Problem(
                "FlagsNotUnderstood", "\(place): the item is no JSON object",
                next: "name another item: this one must map names to true, false or {enabled, rollout, variant}")
        }
        self.json = json
        self.place = place
    }

    func observation(of name: String) -> FlagObservation {
        guard let entry = json.object?[name] else { return FlagObservation() }
        var observation = FlagObservation(marker: digest(Self.sorted(entry).description))
        if let isOn = entry.bool {
            observation.setting = FlagSetting(isOn: isOn)
        } else if let isOn = entry["enabled"]?.bool {
            let rollout = entry["rollout"]?.integer
            guard entry["rollout"] == nil || rollout.map((0...100).contains) == true,
                entry["variant"] == nil || entry["variant"]?.string != nil
            else {
                observation.problem = unclear(name)
                return observation
            }
            observation.setting = isOn ? FlagSetting(isOn: true, rollout: rollout, variant: entry["variant"]?.string) : .off
        } else {
            observation.problem = unclear(name)
        }
        return observation
    }

    mutating func set(_ name: String, to setting: FlagSetting) throws(Problem) {
        let entry = json[name]
        guard entry?.object != nil || setting.rollout != nil || setting.variant != nil else {
            json[name] = .bool(setting.isOn)
            return
        }
        // What an application keeps beside is its own.
        var changed: JSON = entry?.object.map(JSON.object) ?? [:]
        changed["enabled"] = .bool(setting.isOn)
        changed["rollout"] = setting.isOn ? setting.rollout.map(JSON.integer) : Optional.none
        changed["variant"] = setting.isOn ? setting.variant.map(JSON.string) : Optional.none
        json[name] = changed
    }

    private func unclear(_ name: String) -> Problem {
        Problem(
            "FlagUnclear", "\(place): \(name) is neither true nor false nor {enabled, rollout from 0 to 100, variant}",
            next: "correct it there; nothing is written before")
    }

    /// Vercel keeps no order of members: a marker must not depend on it.
    private static func sorted(_ json: JSON) -> JSON {
        switch json {
        case .object(let object):
            .object(JSONObject(object.members.sorted { $0.key < $1.key }.map { ($0.key, sorted($0.value)) }))
        case .array(let elements): .array(elements.map(sorted))
        default: json
        }
    }
}
