public import KubernetesAPI
public import Model
public import Sources
import SpecLoading

/// The `System` objects of a cluster, or of some of its namespaces, each a part with a revision of its own.
///
/// ``run()`` keeps them up to date; without it every holding is a list. While the API server does not answer, they are what they were, with
/// the reason.
public actor ClusterSource: WatchedSource {
    /// What is needed where objects are watched.
    public static let permissions = [
        ClusterPermission(.systems, [.systems], ["list", "watch"], "Reads the System objects that say what is wanted."),
        ClusterPermission(
            .systems, [.systems], ["get"],
            "Asks between two steps of reconcile --once whether an object has changed, and reads one anew that somebody else has just written."
        ),
    ]

    let client: KubernetesClient
    let pace: Pace
    let clock: any Clock<Duration>
    /// Which objects: a label selector.
    let selector: String
    var scopes: [Scope]
    /// False where nobody calls ``run()``.
    private nonisolated let watches: Bool
    private nonisolated let news = ChangeSignal()

    /// How often the API server is asked.
    public struct Pace: Sendable, Hashable {
        /// How many objects one answer may bring.
        public var pageSize = 500
        /// How long a watch lasts until the server ends it; then another begins where it ended.
        public var watch = Duration.seconds(290)
        /// The pause after a first failure; every further one is twice as long.
        public var firstBackoff = Duration.seconds(1)
        public var longestBackoff = Duration.seconds(30)

        public init() {}
    }

    /// One list and its watch.
    struct Scope {
        /// Nil for all of them.
        var namespace: String?
        var objects: [SystemID: SystemObject] = [:]
        /// True once it was listed.
        var isRead = false
        /// Why nobody knows whether it is still so.
        var trouble: SourceError?
    }

    /// - Parameters:
    ///   - namespaces: empty for all of them.
    ///   - selector: of their labels; those that are wanted for themselves unless another is given.
    ///   - watches: whether ``run()`` will keep it up to date.
    public init(
        _ client: KubernetesClient, namespaces: [String] = [], choosing selector: String = "!\(SystemObject.mirrorLabel)",
        watches: Bool = true, pace: Pace = Pace(), clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.watches = watches
        self.selector = selector
        self.client = client
        self.pace = pace
        self.clock = clock
        scopes = namespaces.isEmpty ? [Scope()] : Set(namespaces).sorted().map { Scope(namespace: $0) }
    }

    /// Lists and watches until the task is cancelled.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            for index in scopes.indices { group.addTask { await self.follow(index) } }
        }
    }

    public nonisolated func change() async throws { try await news.wait() }

    /// All of them as they were seen last, in no order.
    public var objects: [SystemObject] { scopes.flatMap { $0.objects.values } }

    /// An object as it was seen last; nil when there is none.
    public func object(_ id: SystemID) -> SystemObject? { scopes.lazy.compactMap { $0.objects[id] }.first }

    /// Waits for the first list while ``run()`` is under way.
    public func holding() async throws(SourceError) -> Holding {
        if watches {
            while scopes.contains(where: { !$0.isRead && $0.trouble == nil }) {
                do { try await news.wait() } catch { throw SourceError(.unreadable, "the list of Systems was not waited for") }
            }
        } else {
            for index in scopes.indices {
                do throws(KubernetesError) { _ = try await list(index) } catch { note(error, index) }
            }
        }
        let troubles = scopes.compactMap(\.trouble)
        if let first = troubles.first, !scopes.contains(where: \.isRead) { throw first }
        // The oldest first: of two that claim the same, it has it.
        let objects = scopes.flatMap { $0.objects.values }.sorted { ($0.created, $0.id) < ($1.created, $1.id) }
        return Holding(objects.compactMap(\.part), troubles: troubles)
    }

    /// Of no use here: every object has a revision of its own.
    public func snapshot() async throws(SourceError) -> Snapshot {
        throw SourceError(.refused, "the System objects of a cluster have no revision in common")
    }

    public func relation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation {
        guard older.kind == .generation, newer.kind == .generation, let before = older.generation, let now = newer.generation else {
            return .unknown
        }
        func uid(_ revision: Revision) -> Substring { revision.id.prefix { $0 != "/" } }
        // Another object of the same name: it was deleted and made anew.
        guard uid(older) == uid(newer) else { return .diverged }
        return before == now ? .same : before < now ? .ancestor : .descendant
    }

    /// Reads the one object; that it is gone, or cannot be read, supersedes nothing.
    public func supersedes(_ snapshot: Snapshot) async -> Bool {
        guard let file = snapshot.files.first?.name, let slash = file.firstIndex(of: "/") else { return false }
        let id = SystemID(namespace: String(file[..<slash]), name: String(file[file.index(after: slash)...]))
        if watches { return object(id).map { $0.revision != snapshot.revision } ?? false }
        do throws(KubernetesError) {
            let answer = try await client.get(.systems, namespace: id.namespace, name: id.name)
            return SystemObject(answer.body).map { $0.revision != snapshot.revision } ?? false
        } catch {
            return false
        }
    }

    func tell() { news.raise() }
}
