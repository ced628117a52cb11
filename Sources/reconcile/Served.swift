import ControlLoop
import Metering
import Model
import ProviderKit
import Serving
import Sources

/// What `--listen` serves: how the loop is, its numbers, and webhooks that wake it.
struct Served: Sendable {
    let address: ListenAddress
    let secrets: WebhookSecrets
    let metrics = MetricRegistry()
    let rates: RateLimits
    let line = LoopLine()
    let loopMetrics: LoopMetrics
    /// What this process waits for before it is ready.
    let readiness = Readiness(waiting: ["specs": "they have not been read yet"])
    private let now: @Sendable () -> Timestamp
    private let notes = RepeatedNotes()

    /// How long the loop's task may take to answer a probe: the work of the loop itself is a fraction of a second.
    private static let patience = Duration.seconds(5)

    init(on address: ListenAddress, _ variables: [String: String], now: @escaping @Sendable () -> Timestamp) throws(ServingError) {
        self.address = address
        self.now = now
        secrets = try WebhookSecrets(variables)
        rates = RateLimits { Double(now().millisecondsSinceEpoch) / 1000 }
        loopMetrics = LoopMetrics(metrics, now: now)
        metrics.set(.build, Version.current, to: 1)
    }

    /// An environment whose requests are counted as that provider's, or other client's.
    func counting(_ environment: ProviderEnvironment, as provider: String) -> ProviderEnvironment {
        var environment = environment
        environment.transport = MeteredTransport(environment.transport, as: provider, in: metrics, rates: rates)
        return environment
    }

    /// The provider, with its requests counted.
    func counting(_ registration: ProviderRegistration) -> ProviderRegistration {
        var counted = registration
        counted.connect = { registration.connect(counting($0, as: registration.name)) }
        return counted
    }

    func take(_ event: LoopEvent) {
        loopMetrics.take(event)
        if case .stopping = event { readiness.set("shutdown", "it is ending") }
    }

    /// For the loop.
    var probe: LoopProbe {
        var probe = loopMetrics.probe
        let read = probe.read
        probe.read = { reading in
            read(reading)
            if reading != .failed { readiness.set("specs", nil) }
        }
        return probe
    }

    /// Serves until `body` returns.
    ///
    /// - Parameter repositories: are asked for news when a webhook says so.
    func callAsFunction<Value: Sendable>(
        _ repositories: @escaping @Sendable () -> [GitSource], _ lines: LoopLines, while body: @Sendable () async -> Value
    ) async throws(ServingError) -> Value {
        let endpoints = Endpoints(
            alive: { await alive() }, ready: { readiness.checks },
            metrics: { accept in
                let format = ExpositionFormat(accepting: accept)
                return (await numbers(format), format.contentType)
            },
            webhooks: WebhookEndpoint(
                secrets: secrets, secondsSince1970: { Double(now().millisecondsSinceEpoch) / 1000 }, act: { act($0, repositories()) },
                note: { note in
                    metrics.add(to: .webhooks, note.sender.rawValue, note.result.rawValue)
                    if notes.isNews(note) { lines.write(note) }
                }), answered: { metrics.add(to: .served, $0, String($1)) })
        return try await HTTPServer { await endpoints.answer($0) }.serve(on: address) { bound in
            lines.writeListening(on: bound)
            return await body()
        }
    }

    /// A loop that does not run yet is no sign of illness: another replica may lead.
    private func alive() async -> [HealthCheck] {
        guard line.isRunning else { return [HealthCheck("loop")] }
        let pulse = await line.pulse(within: Self.patience)
        let isSilent = pulse == nil && line.isRunning
        return [HealthCheck("loop", problem: isSilent ? "it has not answered for \(Self.patience.components.seconds) s" : nil)]
    }

    private func numbers(_ format: ExpositionFormat) async -> String {
        if line.isRunning, let pulse = await line.pulse(within: .seconds(1)) { loopMetrics.take(pulse) }
        rates.write(to: metrics)
        metrics.readProcess()
        return metrics.text(format)
    }

    private func act(_ hint: WebhookHint, _ repositories: [GitSource]) -> WebhookEffect {
        switch hint {
        case .push(let push):
            guard !repositories.isEmpty else { return .ignored("no repository is watched: --git") }
            var reason = ""
            var isMeant = false
            for repository in repositories {
                let address = repository.address
                let watched = WatchedRepository(url: address.url, ref: address.ref, isCommit: address.isCommit)
                if let why = watched.isUntouched(by: push) {
                    reason = why
                    continue
                }
                // A repository's own branch may be another than the one that was pushed to.
                repository.poke(expecting: address.ref == nil ? nil : push.object)
                isMeant = true
            }
            return isMeant ? .accepted("the repository is asked for news") : .ignored(reason)
        case .target(let provider, let names, let areComplete):
            line.look { system in
                system.components.contains { $0.target.provider == provider && $0.target.isMeant(by: names, complete: areComplete) }
            }
            return .accepted("systems with a component on \(provider)/\(names.last ?? "") are looked at")
        case .systems(let names):
            line.look { names.contains($0.id.name) || names.contains($0.id.description) }
            return .accepted("\(names.count == 1 ? "the system is" : "the systems are") looked at")
        }
    }
}

extension Target {
    /// True if an event about a project or service of these names is about this one.
    ///
    /// - Parameter complete: false if the event gave an id alone: then whatever is not named by an id may be meant.
    fileprivate func isMeant(by names: [String], complete: Bool) -> Bool {
        let own = identity.split(separator: "/").last.map(String.init) ?? identity
        if names.contains(where: { $0.lowercased() == own.lowercased() }) { return true }
        return !complete && !["prj_", "srv-", "crn-"].contains { own.hasPrefix($0) }
    }
}
