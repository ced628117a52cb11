internal import JSONValues
internal import Model

/// What a Lease object says.
struct LeaseRecord: Sendable, Hashable {
    /// Nil for one that was given back.
    var holder: String?
    var duration: Duration
    /// By the holder's clock, as it wrote them: for people, and to tell two records apart.
    var acquired: String
    var renewed: String
    var transitions: Int

    init(holder: String, duration: Duration, acquired: String, renewed: String, transitions: Int) {
        self.holder = holder
        self.duration = duration
        self.acquired = acquired
        self.renewed = renewed
        self.transitions = transitions
    }

    init(_ object: JSON) {
        let spec = object["spec"]
        holder = spec?["holderIdentity"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        duration = .seconds(spec?["leaseDurationSeconds"]?.integer ?? 0)
        acquired = spec?["acquireTime"]?.string ?? ""
        renewed = spec?["renewTime"]?.string ?? ""
        transitions = spec?["leaseTransitions"]?.integer ?? 0
    }

    var spec: JSON {
        [
            "holderIdentity": .optional(holder), "leaseDurationSeconds": .integer(Int(max(1, duration.components.seconds))),
            "acquireTime": .string(acquired), "renewTime": .string(renewed), "leaseTransitions": .integer(transitions),
        ]
    }
}

extension Timestamp {
    /// RFC 3339 with the six digits of a fraction that the API server insists on: https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#MicroTime
    var microTime: String {
        let milliseconds = String(1000 + (millisecondsSinceEpoch % 1000 + 1000) % 1000).dropFirst()
        return "\(wholeSecond.description.dropLast()).\(milliseconds)000Z"
    }
}
