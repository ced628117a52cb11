import JSONValues
import Model
import ProviderKit

/// Edits a machine's config, which is sent back whole: what is not understood keeps its digits and its order.
enum FlyConfig {
    /// - Parameters:
    ///   - image: by digest.
    ///   - marks: metadata to be set; nil removes.
    static func edited(_ config: JSON, image: String, _ desired: DesiredConfiguration?, marks: [(key: String, value: String?)]) -> JSON {
        var config = config
        config["image"] = .string(image)
        if let desired {
            let before = config["env"] ?? [:]
            let after = environment(before, desired)
            if after != before { config["env"] = after }
        }
        var metadata = config["metadata"] ?? [:]
        for (key, value) in marks { metadata[key] = value.map(JSON.string) }
        config["metadata"] = metadata
        return config
    }

    /// Literals stand in the machine's own variables; what the spec only refers to is a secret, and must not stand there.
    private static func environment(_ before: JSON, _ desired: DesiredConfiguration) -> JSON {
        var after = before
        for (key, value) in desired.values.sorted(by: { $0.key < $1.key }) {
            after[key] = value.isReference ? nil : .string(value.secret.reveal())
        }
        if desired.isExact {
            for key in before.object?.keys ?? [] where desired.values[key] == nil && !FlyMachine.isPlatform(key) { after[key] = nil }
        }
        return after
    }

    /// True if the variables in the machine's config are as desired.
    static func isAsDesired(_ machine: FlyMachine, _ desired: DesiredConfiguration?) -> Bool {
        guard let desired, let config = machine.config else { return true }
        let before = config["env"] ?? [:]
        return environment(before, desired) == before
    }
}
