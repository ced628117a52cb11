public import Model
public import SpecFields

/// A service on Harbour, as a spec names it: `harbour: {service: web}`.
public struct HarbourTarget: Target, SpecObject, Hashable {
    public static let provider = "harbour"

    public var service: String

    public var identity: String { service }

    public init(_ fields: inout Fields) {
        service = fields.required("service", .string(.name), "The service's name.")
    }

    public init(service: String) { self.service = service }
}
