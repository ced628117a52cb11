import ControlPlane
import FoundationEssentials
import JSONValues
import KubernetesAPI
import TestPrograms

extension RoleWorld {
    static let work = "roles-work"

    /// Makes a workload that has run `v1` and runs `v2`.
    ///
    /// - Parameter history: how many former releases its controller keeps.
    func release(_ resource: KubernetesResource, _ name: String, history: Int = 10) async throws {
        for image in ["v1", "v2"] {
            var spec: JSON = [
                "selector": ["matchLabels": ["app": .string(name)]], "revisionHistoryLimit": .integer(history),
                "template": [
                    "metadata": ["labels": ["app": .string(name)]],
                    "spec": [
                        "terminationGracePeriodSeconds": 0,
                        "containers": [["name": "api", "image": .string("registry.test/api:\(image)")]],
                    ],
                ],
            ]
            if resource != .daemonSets { spec["replicas"] = 1 }
            if resource == .statefulSets { spec["serviceName"] = .string(name) }
            let object = Self.object("apps/v1", resource.kind, name, ["spec": spec])
            if image == "v1" {
                _ = try await client.create(resource, namespace: Self.work, object, fieldManager: "kubectl-create")
            } else {
                _ = try await client.patch(resource, namespace: Self.work, name: name, .strategicMerge(object), fieldManager: "kubectl-set")
            }
            try await settle(resource, name)
        }
    }

    /// Waits until the controller has seen what is declared and its pods are all of it.
    func settle(_ resource: KubernetesResource, _ name: String) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let object = try await client.get(resource, namespace: Self.work, name: name).body
            let status = object["status"] ?? [:]
            let updated = status["updatedReplicas"] ?? status["updatedNumberScheduled"]
            let ready = status["readyReplicas"] ?? status["numberReady"]
            let isSeen = status["observedGeneration"] == object["metadata"]?["generation"]
            if isSeen, updated == 1, ready == 1, (status["replicas"] ?? 1) == 1 { return }
            guard ContinuousClock.now < deadline else {
                throw ControlPlane.Failure(description: "\(resource.plural) \(name) is not settled after 60 s: \(status)")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// A spec of one component.
    func spec(_ system: String, _ target: String, release: String = "v1", env: String? = nil) throws -> String {
        try place.write(
            "\(system).yaml",
            """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata: {name: \(system)}
            spec:
              components:
                api:
                  kubernetes: {namespace: \(Self.work), \(target)}
                  release: \(release)
            \(env.map { "      env: \($0)\n" } ?? "")
            """)
    }

    /// A spec whose only resource is a flag in a ConfigMap, which costs the cluster nothing.
    func flagSpec(_ system: String, state: String? = nil) throws -> String {
        try place.write(
            "\(system).yaml",
            """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata: {name: \(system), namespace: \(Self.specs)}
            spec:
              flags:
                store: {configMap: {namespace: roles-flags, name: \(system)}}
                values: {new_player: true}
            \(state.map { "  state: \($0)" } ?? "")
            """)
    }

    /// Makes a System object of one flag, and the ConfigMap of it.
    func makeObject(_ name: String) async throws {
        try await makeFlags(name)
        let flags: JSON = [
            "store": ["configMap": ["namespace": "roles-flags", "name": .string(name)]], "values": ["new_player": true],
        ]
        _ = try await client.create(
            .systems, namespace: Self.specs, Self.object("belay.dev/v1alpha1", "System", name, ["spec": ["flags": flags]]))
    }

    /// Makes an object that a Belay of that name would have left.
    func makeMirror(_ name: String, of belay: String) async throws {
        var object = Self.object("belay.dev/v1alpha1", "System", name, ["spec": [:]])
        object["metadata"]?["labels"] = ["belay.dev/mirror": .string(belay)]
        _ = try await client.create(.systems, namespace: Self.specs, object)
    }

    /// The label of a mirror; nil where there is no such object, or another one.
    func mirror(_ name: String) async throws -> String? {
        let objects = try await client.list(.systems, namespace: Self.specs, labelSelector: "belay.dev/mirror").items
        return objects.first { $0["metadata"]?["name"]?.string == name }?["metadata"]?["labels"]?["belay.dev/mirror"]?.string
    }

    /// Makes the object's spec wrong, then right, then wrong again, each when the one before has been printed.
    func spoilTwice(_ name: String, after printed: String) async throws {
        let object = try await client.get(.systems, namespace: Self.specs, name: name).body
        let generation = object["metadata"]?["generation"]?.integer ?? 0
        guard generation < 4, printed.contains("generation \(generation)") else { return }
        let value: JSON = generation.isMultiple(of: 2) ? true : ["enabled": 7]
        _ = try await client.patch(
            .systems, namespace: Self.specs, name: name, .merge(["spec": ["flags": ["values": ["new_player": value]]]]))
    }

    /// True if an event about that object was told more than once.
    func hasRepeatedEvent(of name: String) async throws -> Bool {
        let events = try await client.list(KubernetesResource(plural: "events", kind: "Event"), namespace: Self.specs).items
        return events.contains { $0["involvedObject"]?["name"]?.string == name && $0["count"]?.integer ?? 0 > 1 }
    }

    /// Makes the ConfigMap of such a spec.
    func makeFlags(_ system: String) async throws {
        let flags = Self.object("v1", "ConfigMap", system, ["data": ["flags.json": "{\"flags\": {}}"]])
        _ = try await client.create(.configMaps, namespace: "roles-flags", flags)
    }

    /// Runs the loop as one of the accounts until that is so of what it has printed, and ends it then; returns what it printed.
    func loop(
        _ arguments: [String], as kubeconfig: String, pod: String, until isDone: @escaping @Sendable (String) async throws -> Bool
    ) async throws -> BuiltProgram.Ended {
        let file = try place.write("\(pod).log", "")
        var ended = try await BuiltProgram(onSearchPath: "bash").run(
            ["-c", "exec \"$@\" >'\(file)' 2>&1", "bash", BuiltProgram.path(of: "reconcile")] + arguments + [
                "--state", place.path("state-\(pod)"),
            ],
            variables: ["KUBECONFIG": kubeconfig, "POD_NAME": pod, "POD_NAMESPACE": Self.pods, "BELAY_KEY": nil], by: .terminate
        ) {
            let deadline = ContinuousClock.now + .seconds(30)
            while true {
                let printed = try String(contentsOf: URL(filePath: file), encoding: .utf8)
                if try await isDone(printed) || ContinuousClock.now >= deadline { return }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        ended.output = try String(contentsOf: URL(filePath: file), encoding: .utf8)
        return ended
    }

    /// Runs the program as one of the accounts, with a record of its own; nil for the place that the spec says.
    func reconcile(_ arguments: [String], as kubeconfig: String, record: String?, value: String = "a") async throws -> BuiltProgram.Ended {
        try await BuiltProgram("reconcile").run(
            arguments + (record.map { ["--state", place.path("state-\($0)")] } ?? []),
            variables: ["KUBECONFIG": kubeconfig, "SETTING": value, "BELAY_KEY": nil])
    }
}
