internal import KubernetesAPI
internal import State

extension StateError {
    /// - Parameter what: what could not be done with the state: `cannot be read`.
    init(_ error: KubernetesError, _ what: String, _ objects: StateObjects) {
        let code: Code =
            switch error.code {
            case .forbidden, .unauthorized, .credentials: .notPermitted
            case .configuration, .transport, .server, .malformed, .rateLimited: .unreachable
            case .badRequest, .notFound, .conflict, .gone, .invalid, .refused: .failed
            }
        var message = "the state in \(objects.place) \(what): \(error.message)"
        var next = error.next
        if error.code == .notFound {
            if error.reason == "NotFound" {
                next = "kubectl create namespace \(objects.namespace), or name another one in the spec under state.cluster.namespace"
            } else {
                let cluster = "the cluster (\(objects.client.connection.place))"
                message = "the state in \(objects.place) \(what): \(cluster) does not know the kind SystemState"
                next = "install it: reconcile generate --output DIR, then kubectl apply -f DIR/manifests/crd/systemstates.belay.dev.yaml"
            }
        } else if error.isTooLarge {
            next =
                "an object of a cluster holds 1.5 MB at most, and so does an entry of a state that is kept there; name a directory or a database"
        }
        self.init(code, message, next: next)
    }
}

extension KubernetesError {
    /// True if the same request may be answered otherwise a little later.
    var mayPass: Bool {
        switch code {
        case .transport, .malformed, .rateLimited: true
        case .server: !isTooLarge
        default: false
        }
    }

    /// etcd's refusal comes as a 500 that says so in words: https://github.com/kubernetes/kubernetes/issues/19781
    var isTooLarge: Bool { status == 413 || message.contains("request is too large") || message.contains("RequestEntityTooLarge") }
}
