import Model
import ProviderKit

/// Everything that one observation read.
struct VercelReading: Sendable {
    var project: VercelProject
    /// The provider's clock.
    var time: Timestamp?
    var rolling: VercelRollingRelease?
    /// Domains that the last job left behind; nil when nobody asked or it could not be read.
    var failedDomains: [String]?
    /// Every deployment that was seen, by its id.
    var deployments: [String: VercelDeployment] = [:]
    /// Ids of deployments that Vercel says are deleted.
    var gone: Set<String> = []
    /// What the open intent made; empty when it makes no deployment or has made none.
    var made: [VercelDeployment] = []
    /// Nil when nobody asked, or when they could not be read and are not managed.
    var configuration: VercelConfiguration?

    /// What the project's own answer tells.
    @inline(never)  // See `VercelReader`.
    init(_ answer: (project: VercelProject, time: Timestamp?)) {
        (project, time) = answer
        if let production = project.production { add([production]) }
        add(project.domains.compactMap(\.deployment) + project.latest)
    }

    mutating func add(_ found: [VercelDeployment]) {
        for deployment in found {
            deployments[deployment.id] = deployments[deployment.id].map { $0.merged(with: deployment) } ?? deployment
        }
    }

    /// What is declared, with all that is known of it.
    var production: VercelDeployment? { project.production.map { deployments[$0.id] ?? $0 } }

    /// Domains that do not serve what is declared.
    var strays: [VercelProject.Domain] {
        guard let production = project.production else { return [] }
        return project.domains.filter { $0.deployment?.id != production.id }
    }
}

/// Reads what one observation needs, and no more.
///
/// Thousands of observations wait for their first answer at once, each holding what the functions that wait in it hold. Hence a reference,
/// and functions of their own for what follows the answer: otherwise each would hold four times as much.
final class VercelReader: Sendable {
    let api: VercelAPI
    let request: ObservationRequest
    let question: VercelQuestion

    init(api: VercelAPI, request: ObservationRequest) {
        self.api = api
        self.request = request
        question = VercelQuestion(request)
    }

    @inline(never)
    func read(_ target: VercelTarget) async throws(APIError) -> VercelReading {
        var reading = VercelReading(try await api.project(target.project))
        try await complete(&reading)
        return reading
    }

    /// Reads what the project's answer does not tell.
    @inline(never)
    private func complete(_ reading: inout VercelReading) async throws(APIError) {
        let project = reading.project
        if project.rollsOut { reading.rolling = try await api.rollingRelease(of: project.id) }
        if let job = project.job, job.status == "failed", !reading.strays.isEmpty || reading.production?.id != job.to {
            // For the message only: what failed shows in the domains themselves.
            do throws(APIError) { reading.failedDomains = try await api.failedDomains(of: project.id, job: job.type) } catch {}
        }
        if let intent = request.openIntent, intent.route.write?.makesDeployment == true {
            // The filter is undocumented: a list that passes over it must not lend us somebody else's build.
            reading.made = try await api.deployments(of: project.id, [("meta-\(VercelMark.intent)", intent.id)], limit: 20).page
                .filter { $0.intent == intent.id || $0.meta.isEmpty && !$0.isSurelyOlder(than: intent) }
            reading.add(reading.made)
        }
        try await readVariables(&reading)
        switch request.depth {
        case .pin:
            // In place: nothing else has to be found, but for a build that has the variables as they must be.
            if let production = reading.production, question.isAnswered(by: production) {
                guard reading.configuration?.needsWrites == false, !reading.stale(in: production).isEmpty else { return }
                return try await rebuilds(of: production.root, &reading)
            }
            try await find(&reading)
        case .history:
            try await scan(&reading, [("target", "production")], pages: 50) { _ in false }
            try await find(&reading)
        }
    }

    /// Reads them where they are managed, where their state was asked for, and where a plan will compare them with what was recorded.
    private func readVariables(_ reading: inout VercelReading) async throws(APIError) {
        let isWritten = request.openIntent?.route.write?.key != nil
        let isInPlace = reading.production.map(question.isAnswered) == true
        guard request.configuration != nil || request.readsConfiguration || isWritten || !isInPlace else { return }
        do throws(APIError) {
            let found = try await api.variables(of: reading.project.id)
            reading.configuration = VercelConfiguration(found, of: reading.project.id, request)
        } catch {
            // A token that may not read variables is good enough where they are not managed.
            guard request.configuration == nil else { throw error }
        }
    }

    // MARK: - Finding the pin's deployments

    private func find(_ reading: inout VercelReading) async throws(APIError) {
        for id in question.ids { try await look(for: id, &reading) }
        for host in question.hosts where !reading.deployments.values.contains(where: { $0.url == host }) {
            if let found = try await deployment(host, &reading) { try await rebuilds(of: found.id, unless: found, &reading) }
        }
        for commit in question.commits { try await look(forCommit: commit, &reading) }
        // For a helpful error: the newest releases that one could go to instead.
        guard request.depth == .pin, !reading.deployments.values.contains(where: question.isMet) else { return }
        reading.add(try await api.deployments(of: reading.project.id, [("target", "production")], limit: 20).page)
    }

    private func look(for id: String, _ reading: inout VercelReading) async throws(APIError) {
        // The project's own summaries do not say whether a deployment has served.
        let known = reading.deployments[id]
        let found = if let known, known.hasServed { known } else { try await deployment(id, &reading) }
        try await rebuilds(of: id, unless: found, &reading)
    }

    private func deployment(_ idOrHost: String, _ reading: inout VercelReading) async throws(APIError) -> VercelDeployment? {
        do throws(APIError) {
            let found = try await api.deployment(idOrHost)
            reading.add([found])
            return reading.deployments[found.id]
        } catch {
            switch error.code {
            case .notFound, .badRequest: return nil
            case .gone:
                reading.gone.insert(idOrHost)
                return nil
            default: throw error
            }
        }
    }

    /// What was built anew from a deployment that cannot take the domains itself.
    private func rebuilds(of id: String, unless found: VercelDeployment?, _ reading: inout VercelReading) async throws(APIError) {
        if let found, found.isProduction, found.stage == .ready, reading.stale(in: found).isEmpty { return }
        guard found != nil || reading.gone.contains(id) else { return }
        try await rebuilds(of: found?.root ?? id, &reading)
    }

    private func rebuilds(of root: String, _ reading: inout VercelReading) async throws(APIError) {
        reading.add(try await api.deployments(of: reading.project.id, [("meta-\(VercelMark.source)", root)], limit: 100).page)
    }

    private func look(forCommit commit: String, _ reading: inout VercelReading) async throws(APIError) {
        if commit.utf8.count == 40 {
            reading.add(try await api.deployments(of: reading.project.id, [("sha", commit)], limit: 100).page)
            return
        }
        // Vercel finds whole commits only.
        let isFound = { @Sendable (deployment: VercelDeployment) in deployment.commit?.hasPrefix(commit) == true }
        try await scan(&reading, [("target", "production")], pages: 5, until: isFound)
        if !reading.deployments.values.contains(where: isFound) { try await scan(&reading, [], pages: 1, until: isFound) }
    }

    private func scan(
        _ reading: inout VercelReading, _ filter: [(name: String, value: String?)], pages: Int,
        until isFound: @Sendable (VercelDeployment) -> Bool
    ) async throws(APIError) {
        var cursor: String?
        for _ in 0..<pages {
            let (page, next) = try await api.deployments(of: reading.project.id, filter, limit: 100, until: cursor)
            reading.add(page)
            guard let next, !page.contains(where: isFound) else { return }
            cursor = next
        }
    }
}
