import Model
import ProviderKit

/// Everything that one observation read.
struct RenderReading: Sendable {
    var service: RenderService
    /// The provider's clock.
    var time: Timestamp?
    let request: ObservationRequest
    let question: RenderQuestion
    /// `render/docs`, for messages.
    let resource: String
    /// Deploys whose build Render was found to keep no longer.
    let gone: Set<String>
    /// The newest first.
    private(set) var deploys: [RenderDeploy] = []
    /// Nil when they were not read.
    var variables: [String: Secret]?
    /// What is set at the service, each with what is known of its past; filled by ``compareSettings()``, as what follows.
    var settings: [String: ConfigurationEntry] = [:]
    /// Of the settings alone, whatever runs.
    var plainDifferences: [ConfigurationDifference] = []
    var unapplied = NotApplied()
    var beginnings: [String: RenderBeginning] = [:]
    /// What Render itself has to do to the service's machine: `is scheduled for 2026-11-23T14:00:00Z`.
    var maintenance: [String] = []
    /// The names of the env groups that give a key, by key.
    var groupKeys: [String: [String]] = [:]
    /// How many instances run, where it was asked: of a service that Belay has suspended.
    var instances: Int?

    init(
        _ answer: (service: RenderService, time: Timestamp?), _ request: ObservationRequest, _ question: RenderQuestion, _ resource: String,
        gone: Set<String>
    ) {
        (service, time) = answer
        self.request = request
        self.question = question
        self.resource = resource
        self.gone = gone
    }

    mutating func add(_ found: [RenderDeploy]) {
        // What was read last counts.
        var known = Dictionary(deploys.map { ($0.id, $0) }) { first, _ in first }
        for deploy in found { known[deploy.id] = deploy }
        // Render lists the newest first and promises nothing.
        deploys = known.values.sorted { ($0.created ?? .distantPast, $0.id) > ($1.created ?? .distantPast, $1.id) }
    }

    func deploy(_ id: String) -> RenderDeploy? { deploys.first { $0.id == id } }

    /// What runs: never the newest deploy, and never the settings.
    var live: RenderDeploy? { deploys.first { $0.stage == .live } }

    /// What ran last of a service that is suspended.
    var declared: RenderDeploy? {
        if let live { return live }
        // What ran when Belay stopped it, also while a deploy brings it back.
        if let stop = request.stop, let stopped = deploy(stop.memory) { return stopped }
        return service.isSuspended ? deploys.first { $0.stage == .deactivated } : nil
    }

    func release(_ deploy: RenderDeploy) -> Release {
        var lineage: [ArtifactIdentity] = []
        // Of a rollback whose commit Render does not tell, what it went back to does.
        if case .deployment = deploy.identity.kind, let target = beginnings[deploy.id]?.target {
            lineage.append(self.deploy(target)?.identity ?? ArtifactIdentity(.deployment, target))
        }
        let alias = deploy.image.flatMap { image in question.reference == image ? question.image : nil }
        return deploy.release(lineage: lineage, as: alias)
    }

    func isMet(by deploy: RenderDeploy) -> Bool { question.isMet(by: release(deploy)) }

    var isInPlace: Bool { declared.map(isMet) ?? false }
}

extension Timestamp {
    static let distantPast = Timestamp(millisecondsSinceEpoch: .min)
}

/// Reads what one observation needs, and no more.
final class RenderReader: Sendable {
    let api: RenderAPI
    let request: ObservationRequest
    let resource: String
    let gone: @Sendable (_ service: String) -> Set<String>

    init(api: RenderAPI, request: ObservationRequest, resource: String, gone: @escaping @Sendable (_ service: String) -> Set<String>) {
        self.api = api
        self.request = request
        self.resource = resource
        self.gone = gone
    }

    @inline(never)
    func read(_ target: RenderTarget) async throws(RenderFailure) -> RenderReading {
        let answer = try await find(target, api)
        var reading = RenderReading(answer, request, RenderQuestion(request), resource, gone: gone(answer.service.id))
        do throws(APIError) {
            try await complete(&reading)
        } catch {
            throw .api(error)
        }
        reading.compareSettings()
        return reading
    }

    @inline(never)
    private func complete(_ reading: inout RenderReading) async throws(APIError) {
        let id = reading.service.id
        switch request.depth {
        case .pin: reading.add(try await api.deploys(of: id, [], limit: 100).page)
        case .history: try await scan(&reading, pages: 50) { _ in false }
        }
        if reading.live == nil, !reading.deploys.isEmpty {
            // Behind a hundred deploys that failed, or none at all.
            reading.add(try await api.deploys(of: id, [("status", "live")], limit: 1).page)
        }
        if let stop = request.stop {
            if reading.deploy(stop.memory) == nil { try await look(for: stop.memory, &reading) }
            if reading.isStopped { reading.instances = try await api.instances(of: id) }
        }
        try await explain(&reading)
        if !reading.isInPlace { try await find(&reading) }
        if request.configuration != nil || request.readsConfiguration || !reading.isInPlace {
            reading.variables = try await api.variables(of: id)
        }
        guard request.depth == .history || !reading.isInPlace else { return }
        // For notes only. What is waited for is looked at every few seconds, and needs none.
        if request.openIntent == nil {
            do throws(APIError) { reading.maintenance = try await api.maintenance(of: id) } catch {}
        }
        guard request.configuration != nil else { return }
        do throws(APIError) { reading.groupKeys = try await api.groupKeys(of: id) } catch {}
    }

    /// How the live deploy began, where its own answer does not tell what matters.
    private func explain(_ reading: inout RenderReading) async throws(APIError) {
        guard let live = reading.live, let created = live.created else { return }
        let isRollback = live.trigger == "rollback" && (request.configuration != nil || live.commit == nil)
        let isForeign = !reading.isInPlace && ["manual", "rollback", "service_updated"].contains(live.trigger)
        guard isRollback || isForeign else { return }
        // A deploy that waited for another one began later than it was made.
        let end = (live.finished ?? created) + .seconds(60)
        // Without them, less is known, and nothing is wrong.
        do throws(APIError) {
            reading.beginnings = try await api.beginnings(of: reading.service.id, from: created + .seconds(-60), to: end)
        } catch {}
        if let target = reading.beginnings[live.id]?.target, reading.deploy(target) == nil { try await look(for: target, &reading) }
    }

    /// The pin's deploys, where the newest hundred do not hold one.
    private func find(_ reading: inout RenderReading) async throws(APIError) {
        let question = reading.question
        for id in question.ids where reading.deploy(id) == nil { try await look(for: id, &reading) }
        let wants = { @Sendable (deploy: RenderDeploy) in
            question.commits.contains { deploy.commit?.hasPrefix($0) == true } || deploy.sha.map { question.digests.contains($0) } == true
                || question.isMet(by: deploy.release())
        }
        guard request.depth == .pin, !question.commits.isEmpty || question.image != nil || !question.digests.isEmpty,
            reading.deploys.count >= 100, !reading.deploys.contains(where: wants)
        else { return }
        try await scan(&reading, pages: 5, until: wants)
    }

    private func look(for id: String, _ reading: inout RenderReading) async throws(APIError) {
        guard id.hasPrefix("dep-") else { return }
        do throws(APIError) {
            reading.add([try await api.deploy(id, of: reading.service.id)])
        } catch {
            switch error.code {
            case .notFound, .badRequest, .gone: return
            default: throw error
            }
        }
    }

    private func scan(_ reading: inout RenderReading, pages: Int, until isFound: @Sendable (RenderDeploy) -> Bool) async throws(APIError) {
        var cursor: String?
        for _ in 0..<pages {
            let (page, next) = try await api.deploys(of: reading.service.id, [], limit: 100, after: cursor)
            reading.add(page)
            guard let next, !page.contains(where: isFound) else { return }
            cursor = next
        }
    }
}

/// Why a service could not be read.
enum RenderFailure: Error {
    case api(APIError)
    case problem(Problem)
}

extension RenderReader {
    /// The service that a target names.
    func find(_ target: RenderTarget, _ api: RenderAPI) async throws(RenderFailure) -> (service: RenderService, time: Timestamp?) {
        let found: [RenderService]
        let time: Timestamp?
        do throws(APIError) {
            if target.isID { return try await api.service(target.service) }
            (found, time) = try await api.services(named: target.service)
        } catch {
            throw .api(error)
        }
        if let only = found.first, found.count == 1 { return (only, time) }
        guard !found.isEmpty else {
            throw .problem(
                Problem(
                    "NotFound", "\(resource): no service is called \(target.service)",
                    next: "check the name, or use the service's id; RENDER_API_KEY must belong to a member of its workspace"))
        }
        let ids = found.map(\.id).sorted().joined(separator: ", ")
        throw .problem(
            Problem(
                "AmbiguousName", "\(resource): \(found.count) services are called \(target.service): \(ids)",
                next: "name one of them by its id"))
    }
}
