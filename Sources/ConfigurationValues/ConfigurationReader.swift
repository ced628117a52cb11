internal import FoundationEssentials
public import Model
public import ProviderKit

/// Reads the values that a spec refers to, from where it points.
///
/// What a reference leads to is never empty: a CI sets the variable of a secret that it does not pass on, to nothing.
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
        var desired = DesiredConfiguration(isExact: configuration.policy == .exact, restores: configuration.bringsBack)
        var problems: [Problem] = []
        for (name, secret) in more {
            desired.values[name] = .init(
                secret, isReference: true, fingerprint: key.fingerprint(name, secret), isRestored: true)
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

    /// One value, for what is no component's: `what` begins the message of a problem.
    public func value(of source: Configuration.Source, for what: String) async -> Result<Secret, Problem> {
        let (value, place) = await find(source, what)
        guard case .success(let secret) = value else { return value }
        if secret.reveal().utf8.contains(0) {
            return .failure(
                Problem("ValueUnusable", "\(what) holds a zero byte, which no variable can", next: "give it a value that is text"))
        }
        if source.isReference, secret.reveal().isEmpty {
            return .failure(
                Problem(
                    "ValueMissing", "\(what) should come from \(place), which is empty",
                    next: "check what sets it; an empty value is written \"\" in the spec"))
        }
        return value
    }

    private func find(_ source: Configuration.Source, _ what: String) async -> (Result<Secret, Problem>, place: String) {
        switch source {
        case .literal(let text):
            return (.success(Secret(text)), "the spec")
        case .environment(let name):
            let place = "the variable \(name)"
            guard let value = variables[name] else {
                return (
                    .failure(Problem("ValueMissing", "\(what) should come from \(place), which is not set", next: "set \(name)")), place
                )
            }
            return (.success(Secret(value)), place)
        case .file(let path):
            let place = "the file \(path)"
            return (
                Self.text(path).mapError { problem in
                    Problem(problem.reason, "\(what) should come from \(place), which \(problem.message)", next: problem.next)
                }, place
            )
        case .kubernetesSecret(let namespace, let name, let key):
            let value = await readSecret(namespace, name, key).mapError { problem in
                Problem(problem.reason, "\(what) should come from a Secret: \(problem.message)", next: problem.next)
            }
            return (value, "\(key) of the Secret \(name)")
        }
    }

    /// The text of a small file without its last newline; the problem's message is the end of a sentence.
    private static func text(_ path: String) -> Result<Secret, Problem> {
        let real = URL(filePath: path).resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: real) else {  // Nil says all that is needed.
            return .failure(
                Problem("ValueMissing", "cannot be read", next: "check that it is there, and the permissions of its directory"))
        }
        let unusable = Problem("ValueUnusable", "is no file of UTF-8 text of at most 64 KiB", next: "name a text file")
        // Asked before it is opened: a pipe would keep us until somebody writes to it.
        guard attributes[.type] as? FileAttributeType == .typeRegular else { return .failure(unusable) }
        guard let data = FileManager.default.contents(atPath: real) else {
            return .failure(Problem("ValueMissing", "cannot be read", next: "check its permissions"))
        }
        guard data.count <= 65536, let text = String(validating: data, as: UTF8.self) else { return .failure(unusable) }
        let isEnded = text.last == "\n" || text.last == "\r\n"
        return .success(Secret(isEnded ? String(text.dropLast()) : text))
    }
}

/// Why a component's configuration could not be read: all reasons at once.
public struct ConfigurationProblems: Error, Sendable, Hashable {
    public var all: [Problem]

    /// One problem that tells them all.
    public var problem: Problem {
        guard let first = all.first, all.count > 1 else { return all.first ?? Problem("ValueMissing", "a value cannot be read") }
        let next = all.compactMap(\.next)
        return Problem(
            first.reason, all.map(\.message).joined(separator: "; "), next: next.isEmpty ? nil : next.joined(separator: "; "))
    }
}

extension Configuration.Source {
    /// True if the value does not stand in the spec.
    public var isReference: Bool {
        if case .literal = self { return false }
        return true
    }
}
