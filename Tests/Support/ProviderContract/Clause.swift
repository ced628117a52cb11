import HTTPCore
import Model
import Simulators

/// One thing that every provider promises, checked against its simulator. A new clause reaches every provider.
public struct Clause: Sendable, CustomStringConvertible {
    /// The promise, as a sentence.
    public let description: String
    private let check: @Sendable (ContractWorld) async throws -> Void

    init(_ description: String, _ check: @escaping @Sendable (ContractWorld) async throws -> Void) {
        self.description = description
        self.check = check
    }

    /// Nil when the promise is kept in a fresh world; otherwise what was seen instead.
    public func violation(in fixture: some ProviderFixture) async throws -> String? {
        let world = try await fixture.makeWorld()
        do {
            try await check(world)
            return nil
        } catch let violation as Violation {
            return violation.description
        }
    }

    /// What every provider promises.
    public static let all: [Clause] = reading + writing + lostAnswers + secrets
}

extension ContractWorld {
    /// What the fixture says of configuration.
    func requireConfiguration() throws(Violation) -> ContractConfiguration {
        guard let configuration else { throw Violation("the fixture says nothing of configuration") }
        return configuration
    }
}

func require(_ isKept: Bool, _ otherwise: @autoclosure () -> String) throws(Violation) {
    guard isKept else { throw Violation(otherwise()) }
}

extension Fault {
    /// Hits every safe request: the provider cannot be read.
    static func reading(_ kind: Kind) -> [Fault] {
        [Fault(method: .get, kind, times: nil)]
    }

    /// Hits the next write of each method; a route uses only one of them.
    static func writing(_ kind: Kind) -> [Fault] {
        [.post, .put, .patch, .delete].map { Fault(method: $0, kind) }
    }
}

extension ContractWorld {
    func inject(_ faults: [Fault]) {
        for fault in faults.flatMap({ $0.method == .get ? [$0] : aim($0) }) { transport.faults.add(fault) }
    }
}

extension IntentFate {
    var isUndecided: Bool {
        guard case .undecided = self else { return false }
        return true
    }
}

extension Settlement {
    var isUnknown: Bool {
        guard case .unknown = self else { return false }
        return true
    }

    var isProgressing: Bool {
        guard case .progressing = self else { return false }
        return true
    }
}
