import JSONValues

/// What the server fills in where an object says nothing.
enum Defaults {
    static func fill(_ object: inout JSON) {
        if object["spec"] == nil { object["spec"] = [:] }
        if object["kind"] != "DaemonSet", object["spec"]?["replicas"] == nil { object["spec"]?["replicas"] = 1 }
        if object["spec"]?["revisionHistoryLimit"] == nil { object["spec"]?["revisionHistoryLimit"] = 10 }
        if object["kind"] == "Deployment", object["spec"]?["progressDeadlineSeconds"] == nil {
            object["spec"]?["progressDeadlineSeconds"] = 600
        }
        let strategy = object["kind"] == "Deployment" ? "strategy" : "updateStrategy"
        if object["spec"]?[strategy] == nil { object["spec"]?[strategy] = ["type": "RollingUpdate"] }
        guard var pod = object["spec"]?["template"]?["spec"] else { return }
        let defaults: [(String, JSON)] = [
            ("restartPolicy", "Always"), ("terminationGracePeriodSeconds", 30), ("dnsPolicy", "ClusterFirst"), ("securityContext", [:]),
            ("schedulerName", "default-scheduler"),
        ]
        for (name, value) in defaults where pod[name] == nil { pod[name] = value }
        pod["containers"] = .array(
            (pod["containers"]?.elements ?? []).map { container in
                var container = container
                let image = container["image"]?.string ?? ""
                let isLatest = image.hasSuffix(":latest") || image.split(separator: "/").last?.contains(":") != true
                let defaults: [(String, JSON)] = [
                    ("resources", [:]), ("terminationMessagePath", "/dev/termination-log"), ("terminationMessagePolicy", "File"),
                    ("imagePullPolicy", isLatest ? "Always" : "IfNotPresent"),
                ]
                for (name, value) in defaults where container[name] == nil { container[name] = value }
                return container
            })
        object["spec"]?["template"]?["spec"] = pod
    }
}
