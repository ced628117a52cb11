import HTTPCore
import JSONValues
import KubernetesAPI
public import Model
public import ProviderKit

/// Where workloads are listed together.
struct WorkloadPlace: Sendable, Hashable {
    /// See ``KubernetesTarget/context``.
    var context: String?
    var namespace: String
    var kind: Workload.Kind

    init(_ target: KubernetesTarget) {
        context = target.context
        namespace = target.namespace
        kind = target.workload.kind
    }
}

/// A workload as a list brings it.
struct ListedWorkload: Sendable {
    /// Without its kind.
    var object: JSON
    /// Of the answer that it came with.
    var headers: HTTPHeaders
}

extension KubernetesProvider {
    /// Workloads of one kind in one namespace come with pages of its list where those are fewer requests than one for each of them, and hold
    /// no more than eight objects for each. What is missing there is asked for by itself, as is everything where the list may not be read.
    ///
    /// What a workload does not tell of itself is asked for as ``observe(_:_:)`` asks for it.
    ///
    /// - Cost: ⌈workloads of the namespace / 500⌉ in place of the first request for each; one more where a namespace that was not listed
    ///   for ten minutes turns out to hold too many others.
    public func observe(all questions: [ObservationQuestion<KubernetesTarget>]) async -> [Observation] {
        let places = Dictionary(grouping: questions.indices) { WorkloadPlace(questions[$0].target) }.sorted { $0.value[0] < $1.value[0] }
        return await withTaskGroup(of: [(Int, Observation)].self) { group in
            for (place, indices) in places {
                group.addTask { await WorkloadListing(self, place, indices.map { ($0, questions[$0]) }).observations() }
            }
            var observations: [Observation?] = .init(repeating: nil, count: questions.count)
            for await found in group {
                for (index, observation) in found { observations[index] = observation }
            }
            return observations.compactMap(\.self)
        }
    }
}

/// The components of one place, observed together.
struct WorkloadListing: Sendable {
    typealias Asked = (index: Int, question: ObservationQuestion<KubernetesTarget>)

    private let provider: KubernetesProvider
    private let place: WorkloadPlace
    /// By the workload's name; two containers of one are two components.
    private let asked: [String: [Asked]]

    init(_ provider: KubernetesProvider, _ place: WorkloadPlace, _ asked: [Asked]) {
        self.provider = provider
        self.place = place
        self.asked = Dictionary(grouping: asked) { $0.question.target.workload.name }
    }

    /// What the book of field managers holds beside the containers' images and variables: half of a list.
    private static let unread = [
        "f:metadata", "f:status", "f:selector", "f:strategy", "f:updateStrategy", "f:resources", "f:livenessProbe", "f:readinessProbe",
        "f:startupProbe", "f:ports", "f:volumeMounts", "f:volumes",
    ]

    /// By the question's index.
    func observations() async -> [(Int, Observation)] {
        await withTaskGroup(of: (Int, Observation).self) { group in
            var left = asked
            var told: [(Int, Observation)] = []
            var running = 0
            func answer(_ asked: [Asked], with listed: ListedWorkload?) async {
                for (index, question) in asked {
                    if running == ObservationQuestion<KubernetesTarget>.window, let next = await group.next() {
                        told.append(next)
                        running -= 1
                    }
                    group.addTask { (index, await provider.observe(question.target, question.request, listed: listed)) }
                    running += 1
                }
            }
            let problem = await readPages { listed, name in await answer(left.removeValue(forKey: name) ?? [], with: listed) }
            let missing = left.values.joined().sorted { $0.index < $1.index }
            if let problem {
                // What was asked of all in vain is not asked again of each.
                told += missing.map { ($0.index, .unknown(Problem(problem, of: $0.question.request.component))) }
            } else {
                await answer(missing, with: nil)
            }
            return await group.reduce(into: told) { $0.append($1) }
        }
    }

    /// Reads pages while that is less than asking for what is missing.
    ///
    /// - Parameter found: is told of every workload that is asked for, once.
    /// - Returns: why nothing else need be asked either; nil where what was not found may be asked for by itself.
    private func readPages(found: (ListedWorkload, String) async -> Void) async -> KubernetesError? {
        var reading = provider.sizes.reading(of: place, wanted: asked.count)
        var missing = Set(asked.keys)
        while let limit = reading?.limit {
            let page: KubernetesPage
            do throws(KubernetesError) {
                let client = try provider.clients.client(place.context)
                page = try await client.page(
                    place.kind.resource, namespace: place.namespace, limit: limit, from: reading?.position, without: Self.unread)
            } catch {
                if error.code == .gone, reading?.startAgain() == true { continue }
                provider.sizes.note(error, of: place)
                if error.isOfList { return nil }
                if error.code == .unauthorized || error.code == .credentials { provider.clients.forget(place.context) }
                return error
            }
            for object in page.items {
                guard let name = object["metadata"]?["name"]?.string, missing.remove(name) != nil else { continue }
                await found(ListedWorkload(object: object, headers: page.headers), name)
            }
            reading?.turn(page, missing: missing.count)
            if let size = reading?.size { provider.sizes.note(size, of: place) }
        }
        return nil
    }
}

extension KubernetesError {
    /// True if it says nothing of what asking for one object would give.
    fileprivate var isOfList: Bool {
        switch code {
        case .forbidden, .notFound, .gone, .badRequest, .invalid, .refused: true
        case .server: status == 500
        case .configuration, .credentials, .unauthorized, .conflict, .rateLimited, .transport, .malformed: false
        }
    }
}
