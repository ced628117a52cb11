import JSONValues
import Model
import ProviderKit

/// Everything that one observation read.
struct FlyReading: Sendable {
    var target: FlyTarget
    var request: ObservationRequest
    /// Those that are what the component runs, by their ids.
    var machines: [FlyMachine]
    /// The provider's clock.
    var time: Timestamp?
    var registry: String
    var releases: [FlyRelease] = []
    /// Why the ledger could not be read; nil when it was read, or not asked.
    var ledgerProblem: String?
    /// What the registry said, by what it was asked for.
    var manifests: [FlyImage: FlyManifest] = [:]
    /// Nil: not asked, or not readable.
    var secrets: [FlySecret]?
    /// Versions of machines whose update left no trace in them.
    var versions: [String: [(version: String, config: JSON)]] = [:]

    var question: FlyQuestion { FlyQuestion(request) }
    var resource: String { "fly/\(request.component)" }
    var repository: String { "\(registry)/\(target.app)" }

    /// Those that may be written to.
    var reachable: [FlyMachine] { machines.filter(\.isReachable) }

    // MARK: - Images

    /// The digest that all digests of one image go by: a tag may be an index here and the manifest of one platform there.
    func canonical(_ digest: String) -> String {
        for case .found(let chosen, let others) in manifests.values where others.contains(digest) { return chosen }
        return digest
    }

    func digest(of machine: FlyMachine) -> String { machine.image.digest.map(canonical) ?? machine.image.description }

    func others(of digest: String) -> [String] {
        for case .found(digest, let others) in manifests.values where !others.isEmpty { return others }
        return []
    }

    /// The digest that a row of the ledger stands for; nil when nothing that was read tells.
    func digest(of release: FlyRelease) -> String? {
        if let digest = release.image?.digest { return canonical(digest) }
        // A tag may have moved since: a machine that runs the release knows better.
        if let machine = machines.first(where: { $0.releaseVersion == release.version && $0.image.digest != nil }) {
            return digest(of: machine)
        }
        if let image = release.image, case .found(let digest, _)? = manifests[image] { return digest }
        return machines.first { $0.image.tag != nil && $0.image.tag == release.image?.tag && $0.image.digest != nil }.map(digest)
    }

    /// A tag by which anything that was read knows the image; nil when nothing does.
    func tag(of digest: String) -> String? {
        if let machine = machines.first(where: { $0.image.tag != nil && self.digest(of: $0) == digest }) { return machine.image.tag }
        if let row = releases.first(where: { $0.image?.tag != nil && self.digest(of: $0) == digest }) { return row.image?.tag }
        let asked = manifests.filter { image, manifest in
            guard image.tag != nil, case .found(digest, _) = manifest else { return false }
            return true
        }
        return asked.keys.compactMap(\.tag).min()
    }

    /// True if the machine runs what is asked for.
    func isMeant(_ machine: FlyMachine) -> Bool {
        let digest = digest(of: machine)
        if question.resolution != nil {
            return question.isResolved(digest) || others(of: digest).contains(where: question.isResolved)
                || machine.image.digest.map(question.isResolved) ?? false
        }
        if let meant = meantDigest { return meant == digest }
        return question.isNamed(version: machine.releaseVersion, image: machine.image)
    }

    /// What the pin names in the ledger or in the registry; nil when nothing that was read tells.
    private var meantDigest: String? {
        if let row = releases.first(where: { question.isNamed(version: $0.version, image: $0.image) }), let digest = digest(of: row) {
            return digest
        }
        if let image = question.image(in: repository), case .found(let digest, _)? = manifests[image] { return digest }
        return nil
    }
}

/// Reads what one observation needs, and no more.
final class FlyReader: Sendable {
    private static let pinRows = 25
    private static let historyRows = 50

    let api: FlyAPI
    let target: FlyTarget
    let request: ObservationRequest
    /// The app's machines, where they were listed for several of its groups at once.
    private let listed: Result<FlyAPI.Machines, APIError>?

    init(api: FlyAPI, target: FlyTarget, request: ObservationRequest, listed: Result<FlyAPI.Machines, APIError>? = nil) {
        self.api = api
        self.target = target
        self.request = request
        self.listed = listed
    }

    /// Nil: the app has never had a machine.
    func read() async throws(FlyFailure) -> FlyReading? {
        let (own, time) = try await machines()
        guard !own.isEmpty else { return nil }
        var reading = FlyReading(
            target: target, request: request, machines: own, time: time,
            registry: api.registryName)
        let isInPlace = reading.machines.allSatisfy(reading.isMeant)
        if request.configuration != nil || request.readsConfiguration || !isInPlace {
            do throws(APIError) { reading.secrets = try await api.secrets() } catch {
                guard request.configuration == nil else { throw .api(error) }
            }
        }
        if request.depth == .history || !isInPlace { await find(&reading) }
        if let intent = request.openIntent { try await trace(intent, &reading) }
        return reading
    }

    /// Those that are what the component runs, by their ids, and the provider's clock; none: the app has never had a machine.
    func machines() async throws(FlyFailure) -> (own: [FlyMachine], time: Timestamp?) {
        let (all, time) = try await asking { () async throws(APIError) in
            if let listed = self.listed { return try listed.get() }
            return try await self.api.machines()
        }
        let own = all.filter { !$0.isLeftOut }
        if own.isEmpty {
            let count = try await asking { () async throws(APIError) in try await self.api.machineCount() }
            guard count <= all.count else {
                throw .api(APIError(missing: "machines, of which the app has \(count)", purpose: "listing machines"))
            }
            return ([], time)
        }
        let group = try group(among: own)
        return (own.filter { $0.group == group }.sorted { $0.id < $1.id }, time)
    }

    private func group(among machines: [FlyMachine]) throws(FlyFailure) -> String {
        let groups = Set(machines.map(\.group)).sorted()
        let listed = groups.joined(separator: ", ")
        if let wanted = target.processGroup {
            guard groups.contains(wanted) else {
                throw .problem(
                    Problem(
                        "ProcessGroupMissing", "fly/\(request.component): app \(target.app) has no machines of process group \(wanted)",
                        next: "name one that it has: \(listed)"))
            }
            return wanted
        }
        guard groups.count == 1, let only = groups.first else {
            throw .problem(
                Problem(
                    "ProcessGroupAmbiguous", "fly/\(request.component): app \(target.app) has several process groups: \(listed)",
                    next: "name one as processGroup"))
        }
        return only
    }

    /// What the pin means: by the ledger, and by the registry, which also tells whether the image is still there.
    private func find(_ reading: inout FlyReading) async {
        let isHistory = request.depth == .history
        do throws(APIError) {
            reading.releases = try await api.releases(isHistory ? Self.historyRows : Self.pinRows)
        } catch {
            // Optional: what runs is told by the machines.
            reading.ledgerProblem = error.status.map { "\($0)" } ?? "no answer"
        }
        var wanted: [FlyImage] = []
        let question = reading.question
        for row in reading.releases where isHistory || question.isNamed(version: row.version, image: row.image) {
            if let image = row.image { wanted.append(image) }
        }
        for machine in reading.machines where question.isNamed(version: machine.releaseVersion, image: machine.image) {
            wanted.append(FlyImage(repository: machine.image.repository, digest: machine.image.digest))
        }
        if let image = question.image(in: reading.repository) { wanted.append(image) }
        if let digest = question.resolvedDigest { wanted.append(FlyImage(repository: reading.repository, digest: digest)) }
        for image in wanted where reading.manifests[image] == nil { reading.manifests[image] = await api.manifest(image) }
    }

    /// Of machines that an update should have changed and that do not show it: whether it was there.
    private func trace(_ intent: Intent, _ reading: inout FlyReading) async throws(FlyFailure) {
        guard case .update(let parts, _, _, _)? = FlyPart(intent.route.part) else { return }
        for part in parts {
            guard let machine = reading.machines.first(where: { $0.id == part.id }), machine.isReachable, !machine.isReplacing,
                machine.metadata[FlyMark.intent] != intent.id
            else { continue }
            reading.versions[part.id] = try await asking { () async throws(APIError) in try await self.api.versions(part.id) }
        }
    }

    private func asking<Value>(_ body: () async throws(APIError) -> Value) async throws(FlyFailure) -> Value {
        do throws(APIError) { return try await body() } catch { throw .api(error) }
    }
}

/// Why nothing is known.
enum FlyFailure: Error {
    case api(APIError)
    case problem(Problem)
}
