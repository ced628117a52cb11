public import SpecFields

extension KubernetesTarget: SpecObject {
    public init(_ fields: inout Fields) {
        namespace = fields.required("namespace", .string(.label), "The namespace that the workload is in.")
        workload =
            fields.exactlyOne(
                of: "a workload",
                [
                    Alternative("deployment", .string(.subdomain), "The name of a Deployment.") { Workload.deployment($0) },
                    Alternative("statefulSet", .string(.subdomain), "The name of a StatefulSet.") { Workload.statefulSet($0) },
                    Alternative("daemonSet", .string(.subdomain), "The name of a DaemonSet.") { Workload.daemonSet($0) },
                ]) ?? .deployment("")
        container = fields.optional(
            "container", .string(.label), "The container whose image is pinned; may be left out when there is only one.")
        context = fields.optional(
            "context", "The kubeconfig's context; without it the current one, or the cluster that Belay runs in.")
    }
}
