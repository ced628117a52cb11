import ClusterSource
import JSONValues
import KubernetesAPI
import Model

extension ClusterReporter {
    /// Adds or removes the finalizer; other finalizers stay. False if the object is gone, or is being deleted and takes no finalizer any more.
    @discardableResult
    func setFinalizer(_ isNeeded: Bool, of known: SystemObject) async throws(KubernetesError) -> Bool {
        var object = known
        // Who does not watch has not seen what was set here.
        if !isNeeded, held.contains(known.id) {
            let answer = try await client.get(.systems, namespace: known.id.namespace, name: known.id.name)
            object = SystemObject(answer.body) ?? known
        }
        for attempt in 1...4 {
            guard object.finalizers.contains(SystemObject.finalizer) != isNeeded else { return true }
            // One that is being deleted takes no further finalizer.
            if isNeeded, object.isLeaving { return false }
            let finalizers = object.finalizers.filter { $0 != SystemObject.finalizer } + (isNeeded ? [SystemObject.finalizer] : [])
            let metadata: JSON = [
                "uid": .string(object.uid), "resourceVersion": .string(object.resourceVersion),
                "finalizers": .array(finalizers.map(JSON.string)),
            ]
            do throws(KubernetesError) {
                _ = try await client.patch(
                    .systems, namespace: object.id.namespace, name: object.id.name, .merge(["metadata": metadata]))
                return true
            } catch {
                // Somebody, or our own status, was faster: the list is merged anew.
                guard error.code == .conflict, attempt < 4 else { throw error }
                let answer = try await client.get(.systems, namespace: object.id.namespace, name: object.id.name)
                guard let newer = SystemObject(answer.body), newer.uid == object.uid else { return false }
                object = newer
            }
        }
        return false
    }

    /// Sets the finalizer at what is there now. Returns why that is not possible.
    func hold(_ known: SystemObject) async -> Problem? {
        do throws(KubernetesError) {
            var object = try await objects(known.id) ?? known
            // What was seen of it may be older than that somebody took the finalizer away.
            if object.finalizers.contains(SystemObject.finalizer) {
                let answer = try await client.get(.systems, namespace: known.id.namespace, name: known.id.name)
                object = SystemObject(answer.body) ?? object
            }
            guard try await setFinalizer(true, of: object) else { return .notHeld(known.id, "it is being deleted") }
            held.insert(known.id)
            return nil
        } catch {
            return .notHeld(known.id, error.description)
        }
    }

    /// Tells an event; one that was told before is counted.
    func send(_ happening: Happening, of object: SystemObject) async throws(KubernetesError) {
        let now = now()
        guard let entry = book.enter(happening, of: object, at: now) else { return }
        let time = JSON.string(now.wholeSeconds)
        switch entry {
        case .again(let name, let count):
            do throws(KubernetesError) {
                _ = try await client.patch(
                    .events, namespace: object.id.namespace, name: name, .merge(["count": .integer(count), "lastTimestamp": time]))
            } catch {
                book.forget(happening, of: object)
                guard error.code == .notFound else { throw error }
                try await send(happening, of: object)
            }
        case .new(let name):
            let event: JSON = [
                "apiVersion": "v1", "kind": "Event",
                "metadata": ["name": .string(name), "namespace": .string(object.id.namespace)],
                "involvedObject": [
                    "apiVersion": "belay.dev/v1alpha1", "kind": "System", "namespace": .string(object.id.namespace),
                    "name": .string(object.id.name), "uid": .string(object.uid), "resourceVersion": .string(object.resourceVersion),
                ],
                "type": happening.isWarning ? "Warning" : "Normal", "reason": .string(happening.reason),
                "message": .string(happening.message), "count": 1, "firstTimestamp": time, "lastTimestamp": time,
                "source": ["component": "belay"], "reportingComponent": "belay.dev/reconcile", "reportingInstance": .string(instance),
            ]
            do throws(KubernetesError) {
                _ = try await client.create(.events, namespace: object.id.namespace, event)
            } catch {
                book.forget(happening, of: object)
                throw error
            }
        }
    }
}
