import JSONValues

/// Why a pod does not come up, in the kubelet's and the container's own words.
struct PodFailure: Sendable, Hashable {
    /// A container that waits for one of these will not start by itself in the time of a rollout.
    private static let hopeless: Set<String> = [
        "ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError", "RegistryUnavailable",
        "CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError",
        "PostStartHookError",
    ]

    var pod: String
    var container: String
    /// `ImagePullBackOff`.
    var reason: String
    var message: String

    /// Nil for a pod that is up or may still come up.
    init?(_ pod: JSON, name: String) {
        let statuses = (pod["status"]?["initContainerStatuses"]?.elements ?? []) + (pod["status"]?["containerStatuses"]?.elements ?? [])
        for status in statuses {
            guard let waiting = status["state"]?["waiting"], let reason = waiting["reason"]?.string, Self.hopeless.contains(reason) else {
                continue
            }
            self.pod = name
            container = status["name"]?.string ?? ""
            self.reason = reason
            var words = [waiting["message"]?.string].compactMap(\.self)
            if let last = status["lastState"]?["terminated"] {
                let code = last["exitCode"]?.integer.map { "exit code \($0)" } ?? "ended"
                let cause = last["message"]?.string ?? last["reason"]?.string.flatMap { $0 == "Error" ? nil : $0 }
                words.append("last time: " + code + (cause.map { ", \($0)" } ?? ""))
            }
            message = String(
                String.UnicodeScalarView(
                    words.joined(separator: "; ").unicodeScalars.prefix(600).map { $0.properties.generalCategory == .control ? " " : $0 }))
            return
        }
        return nil
    }

    /// What to look at.
    func next(_ target: KubernetesTarget) -> String {
        switch reason {
        case "CrashLoopBackOff", "RunContainerError":
            "look at kubectl logs \(pod) -c \(container) -n \(target.namespace) --previous, or commit an older pin"
        case "CreateContainerConfigError": "check the Secrets and ConfigMaps that the pod template names, or commit an older pin"
        case "CreateContainerError", "PreCreateHookError", "PostStartHookError":
            "look at kubectl describe pod \(pod) -n \(target.namespace), or commit an older pin"
        default: "check that the image exists and that the cluster may pull it, or commit an older pin"
        }
    }
}
