public import ClusterSource
public import JSONValues
public import KubernetesAPI
public import Model
import Synchronization

/// `System` objects that show systems whose specs come from elsewhere. They carry the status and are never what is wanted.
///
/// Each has the label `belay.dev/mirror` with the name of the Belay that keeps it; an object of another name, or without the label, is let
/// be. What somebody edits is taken back, and what somebody deletes is made again.
public actor Mirrors {
    /// What a mirror shows.
    public struct Wanted: Sendable, Hashable {
        public var spec: JSON
        /// `belay.dev/repository` and so on: where the spec comes from.
        public var annotations: [String: String]
        /// For people: where to change it.
        public var place: String

        public init(spec: JSON, annotations: [String: String], place: String) {
            self.spec = spec
            self.annotations = annotations
            self.place = place
        }
    }

    /// Something that people are told about an object.
    public struct News: Sendable {
        public var object: SystemObject
        public var reason: String
        public var message: String
    }

    /// What is needed where systems are shown.
    public static let permissions = [
        ClusterPermission(
            .mirrors, [.systems], ["create", "delete"],
            "With --mirror: shows each system of the specs as a System object, which goes when the specs name the system no more.")
    ]

    private let client: KubernetesClient
    private let name: String
    private let source: ClusterSource
    /// What happened to mirrors that nobody but Belay should change.
    public nonisolated let news: AsyncStream<News>
    private nonisolated let inbox: AsyncStream<News>.Continuation
    private nonisolated let wanted = Mutex<[SystemID: Wanted]>([:])
    private var written: [SystemID: Written] = [:]
    private var strangers: Set<String> = []

    private struct Written {
        var wanted: Wanted
        var object: SystemObject
    }

    /// - Parameters:
    ///   - name: the value of the label.
    ///   - source: of the objects with that label.
    public init(_ client: KubernetesClient, name: String, source: ClusterSource) {
        self.client = client
        self.name = name
        self.source = source
        (news, inbox) = AsyncStream.makeStream()
    }

    public nonisolated func want(_ system: SystemID, _ wanted: Wanted) { self.wanted.withLock { $0[system] = wanted } }

    public nonisolated func unwant(_ system: SystemID) { wanted.withLock { $0[system] = nil } }

    public nonisolated func wants(_ system: SystemID) -> Bool { wanted.withLock { $0[system] != nil } }

    /// The mirror of a system as it now is, made or mended if need be; nil for a system that is not to have one, or cannot because somebody
    /// else's object has its name.
    public func mirror(of system: SystemID) async throws(KubernetesError) -> SystemObject? {
        guard let wanted = wanted.withLock({ $0[system] }) else { return nil }
        if let own = written[system], own.wanted == wanted, let known = await source.object(system), known.uid == own.object.uid,
            known.generation <= own.object.generation
        {
            return own.object
        }
        let object: SystemObject
        if let now = try await read(system) {
            guard now.mirror == name else {
                tellStranger(now, wanted)
                return nil
            }
            object = try await mended(now, wanted)
        } else {
            object = try await made(system, wanted)
        }
        written[system] = Written(wanted: wanted, object: object)
        return object
    }

    /// The systems whose mirrors are not as they were written.
    public func altered() async -> [SystemID] {
        var found: [SystemID] = []
        for (system, own) in written {
            let known = await source.object(system)
            if known?.uid != own.object.uid || known.map({ $0.generation > own.object.generation }) ?? true { found.append(system) }
        }
        return found.sorted()
    }

    /// The systems that have a mirror of this name and that nobody wants shown.
    public func leftOver() async -> [SystemID] {
        let shown = await source.objects.map(\.id)
        return wanted.withLock { wanted in shown.filter { wanted[$0] == nil } }.sorted()
    }

    /// Takes the mirror of a system away; one that is not of this name is let be.
    public func remove(_ system: SystemID) async throws(KubernetesError) {
        written[system] = nil
        for attempt in 1...4 {
            guard let now = try await read(system), now.mirror == name, !now.isLeaving else { return }
            do throws(KubernetesError) {
                try await client.delete(.systems, namespace: system.namespace, name: system.name, resourceVersion: now.resourceVersion)
                return
            } catch {
                guard error.code == .conflict, attempt < 4 else {
                    if error.code == .notFound { return }
                    throw error
                }
            }
        }
    }

    // MARK: - Private

    private func read(_ system: SystemID) async throws(KubernetesError) -> SystemObject? {
        do throws(KubernetesError) {
            return SystemObject(try await client.get(.systems, namespace: system.namespace, name: system.name).body)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil  // Or there is no such kind, which making one tells.
        }
    }

    private func made(_ system: SystemID, _ wanted: Wanted) async throws(KubernetesError) -> SystemObject {
        let isAgain = written[system] != nil
        written[system] = nil
        // Not by server-side apply, which would take over what somebody else makes in this moment.
        let object: JSON = [
            "apiVersion": "belay.dev/v1alpha1", "kind": "System",
            "metadata": [
                "name": .string(system.name), "namespace": .string(system.namespace), "labels": [SystemObject.mirrorLabel: .string(name)],
                "annotations": Self.json(wanted.annotations),
            ],
            "spec": wanted.spec,
        ]
        let answer = try await client.create(.systems, namespace: system.namespace, object)
        guard let made = SystemObject(answer.body) else { throw Self.malformed(system) }
        if isAgain {
            inbox.yield(
                News(
                    object: made, reason: "MirrorRestored",
                    message: "this object was deleted and is made again: it only shows \(wanted.place); take the system out there"))
        }
        return made
    }

    private func mended(_ now: SystemObject, _ wanted: Wanted) async throws(KubernetesError) -> SystemObject {
        let own = written[now.id]
        // Compared as it was written where that is known: a server may write a number otherwise.
        let isEdited = own.map { $0.object.uid == now.uid && $0.object.generation < now.generation } ?? false
        if !isEdited, own?.wanted == wanted, own?.object.uid == now.uid { return now }
        if own == nil, now.shows(wanted.spec, wanted.annotations) { return now }
        let answer = try await client.patch(
            .systems, namespace: now.id.namespace, name: now.id.name, .json(operations(on: now, wanted)))
        guard let mended = SystemObject(answer.body) else { throw Self.malformed(now.id) }
        if isEdited, own?.wanted == wanted {
            inbox.yield(
                News(
                    object: mended, reason: "MirrorRestored",
                    message: "what was edited here is taken back: this object only shows \(wanted.place); change it there"))
        }
        return mended
    }

    /// Of that very object, as long as it is a mirror of this name.
    private func operations(on now: SystemObject, _ wanted: Wanted) -> [JSON] {
        func path(_ group: String, _ key: String) -> JSON { .string("/metadata/\(group)/\(key.replacing("/", with: "~1"))") }
        var operations: [JSON] = [
            ["op": "test", "path": "/metadata/uid", "value": .string(now.uid)],
            ["op": "test", "path": path("labels", SystemObject.mirrorLabel), "value": .string(name)],
            ["op": "add", "path": "/spec", "value": wanted.spec],
        ]
        if now.annotations.isEmpty {
            operations.append(["op": "add", "path": "/metadata/annotations", "value": Self.json(wanted.annotations)])
            return operations
        }
        for (key, value) in wanted.annotations.sorted(by: { $0.key < $1.key }) {
            operations.append(["op": "add", "path": path("annotations", key), "value": .string(value)])
        }
        for key in now.annotations.keys.sorted() where Self.annotations.contains(key) && wanted.annotations[key] == nil {
            operations.append(["op": "remove", "path": path("annotations", key)])
        }
        return operations
    }

    private func tellStranger(_ object: SystemObject, _ wanted: Wanted) {
        written[object.id] = nil
        guard strangers.insert(object.uid).inserted else { return }
        let whose = object.mirror.map { "is a mirror that \($0) keeps" } ?? "is no mirror"
        inbox.yield(
            News(
                object: object, reason: "MirrorRefused",
                message: "this object \(whose), and is let be: the system \(object.id) of \(wanted.place) has no object that shows it; "
                    + "delete or rename one of the two"))
    }

    private static func json(_ texts: [String: String]) -> JSON {
        .object(JSONObject(texts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    }

    private static func malformed(_ system: SystemID) -> KubernetesError {
        KubernetesError(.malformed, "\(system): the API server answered with something that is no System")
    }

    /// Those that say where a spec comes from.
    public static let (repository, ref, path) = ("belay.dev/repository", "belay.dev/ref", "belay.dev/path")
    private static let annotations: Set<String> = [repository, ref, path]
}
