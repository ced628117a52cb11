internal import FoundationEssentials
public import Model
public import ProviderKit

/// Reads the values that a spec refers to, from where it points.
public struct ConfigurationReader: Sendable {
    /// Reads one key of a Kubernetes Secret.
    public typealias SecretReading =
        @Sendable (_ namespace: String?, _ name: String, _ key: String) async -> Result<Secret, Problem>

    private let variables: [String: String]
    private let readSecret: SecretReading

    /// - Parameter readSecret: without one, references to Secrets cannot be read.
    public init(
        variables: [String: String],
        readSecret: @escaping SecretReading = { _, name, _ in
            .failure(Problem("NoCluster", "Secret \(name) cannot be read here: there is no cluster"))
        }
    ) {
        self.variables = variables
        self.readSecret = readSecret
    }

    /// The component's desired values, or every reason why there are none. Nil when its configuration is not managed.
    ///
    /// - Parameter more: values that come back from a record, by key; the spec's own stand above them.
    public func read(
        _ component: Component, _ key: ConfigurationKey, more: [String: Secret] = [:]
    ) async -> Result<DesiredConfiguration?, ConfigurationProblems> {
        let configuration = component.configuration
        guard !configuration.isEmpty else { return .success(nil) }
        var desired = DesiredConfiguration(isExact: configuration.policy == .exact, restores: configuration.restores)
        var problems: [Problem] = []
        for (name, secret) in more {
            desired.values[name] = .init(secret, isReference: true, fingerprint: key.fingerprint(name, secret))
        }
        for (name, source) in configuration.sources.sorted(by: { $0.key < $1.key }) {
            switch await value(of: source, for: "\(component.id): the value of \(name)") {
            case .success(let secret):
                desired.values[name] = .init(
                    secret, isReference: source.isReference, fingerprint: key.fingerprint(name, secret))
            case .failure(let problem): problems.append(problem)
            }
        }
        return problems.isEmpty ? .success(desired) : .failure(ConfigurationProblems(all: problems))
    }

    private func value(of source: Configuration.Source, for what: String) async -> Result<Secret, Problem> {
        switch source {
        case .literal(let text):
            return .success(Secret(text))
        case .environment(let name):
            guard let value = variables[name] else {
                return .failure(
                    Problem("ValueMissing", "\(what) should come from the variable \(name), which is not set", next: "set \(name)"))
            }
            return .success(Secret(value))
        case .file(let path):
            guard let data = FileManager.default.contents(atPath: path) else {
                return .failure(
                    Problem(
                        "ValueMissing", "\(what) should come from the file \(path), which cannot be read",
                        next: "check that it is there, and its permissions"))
            }
            guard data.count <= 65536, let text = String(validating: data, as: UTF8.self) else {
                return .failure(
                    Problem(
                        "ValueUnusable", "\(what) should come from the file \(path), which is no UTF-8 text of at most 64 KiB",
                        next: "name a text file"))
            }
            return .success(Secret(text.hasSuffix("\n") ? String(text.dropLast()) : text))
        case .kubernetesSecret(let namespace, let name, let key):
            return await readSecret(namespace, name, key).mapError { problem in
                Problem(problem.reason, "\(what) should come from a Secret: \(problem.message)", next: problem.next)
            }
        }
    }
}

/// Why a component's configuration could not be read: all reasons at once.
public struct ConfigurationProblems: Error, Sendable, Hashable {
    public var all: [Problem]

    /// One problem that tells them all.
    public var problem: Problem {
        guard let first = all.first, all.count > 1 else { return all.first ?? Problem("ValueMissing", "a value cannot be read") }
        return Problem(first.reason, all.map(\.message).joined(separator: "; "), next: all.compactMap(\.next).joined(separator: "; "))
    }
}

extension Configuration.Source {
    /// True if the value does not stand in the spec.
    public var isReference: Bool {
        if case .literal = self { return false }
        return true
    }
}
