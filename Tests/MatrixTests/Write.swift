import HTTPCore
import JSONValues
import Simulators
import Testing

/// One kind of write of one provider: a world, a way through it on which the write is made, and how everything is in the end.
struct Write: Sendable, CustomTestStringConvertible {
    var name: String
    /// By vendor.
    var world: [String: JSON]
    /// What is in place, with its fences, before the trouble begins; nil: nothing is.
    var first: Spec?
    var second: Spec
    var variables: [String: String] = [:]

    /// Which request is hit.
    var method: HTTPMethod
    var path: String
    /// How many such requests go well before.
    var skip = 0

    /// What took effect at the vendors from the second spec on, sorted.
    var effects: [String]
    /// What must be so in the end, among other things.
    var holds: [String]

    var testDescription: String { name }

    var fault: @Sendable (Trouble) -> Fault {
        { [method, path, skip] trouble in Fault(method: method, path: path, trouble.kind, skip: skip) }
    }
}
