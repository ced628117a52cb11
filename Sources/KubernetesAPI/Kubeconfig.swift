import YAMLReading

/// The kubeconfig files of a user, merged: of two entries with one name the first counts.
struct Kubeconfig: Sendable {
    struct Entry: Sendable {
        var name: String
        var value: YAMLNode
        /// The file that it stands in.
        var file: String

        /// A path of the file, relative to the file's own folder.
        func path(_ path: String) -> String {
            guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
            return file[...slash] + path
        }
    }

    var clusters: [Entry] = []
    var users: [Entry] = []
    var contexts: [Entry] = []
    var current: String?
    /// Those that exist, for messages.
    var files: [String] = []

    /// Nil when there is no kubeconfig at all. Files that `KUBECONFIG` names and that do not exist are passed over, as kubectl does.
    static func load(_ environment: ClusterEnvironment) throws(KubernetesError) -> Kubeconfig? {
        var kubeconfig = Kubeconfig()
        let named = environment.variable("KUBECONFIG")
        let paths =
            named?.split(separator: ":").map(String.init) ?? environment.variable("HOME").map { ["\($0)/.kube/config"] } ?? []
        for path in paths {
            let content: [UInt8]?
            do { content = try environment.read(path) } catch {
                throw KubernetesError(
                    .configuration, "kubeconfig \(path) cannot be read: \(ClusterEnvironment.words(error))",
                    next: "check KUBECONFIG and the file's permissions")
            }
            if let content { try kubeconfig.add(content, from: path) }
        }
        if kubeconfig.files.isEmpty {
            guard let named else { return nil }
            throw KubernetesError(.configuration, "KUBECONFIG names \(named), which does not exist", next: "check the path")
        }
        return kubeconfig
    }

    private mutating func add(_ content: [UInt8], from file: String) throws(KubernetesError) {
        files.append(file)
        if content.allSatisfy({ $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }) { return }
        let document: YAMLNode
        do throws(YAMLProblem) { document = try YAMLNode(reading: content) } catch {
            throw KubernetesError(
                .configuration, "kubeconfig \(file):\(error)", next: "repair the file; kubectl config view shows whether it can be read")
        }
        guard document.mapping != nil else {
            throw KubernetesError(.configuration, "kubeconfig \(file): expected a mapping with clusters, users and contexts")
        }
        func entries(_ list: String, _ key: String, _ known: [Entry]) -> [Entry] {
            (document[list]?.items ?? []).compactMap { item in
                guard let name = item["name"]?.string, !known.contains(where: { $0.name == name }), let value = item[key] else {
                    return nil
                }
                return Entry(name: name, value: value, file: file)
            }
        }
        clusters += entries("clusters", "cluster", clusters)
        users += entries("users", "user", users)
        contexts += entries("contexts", "context", contexts)
        if current == nil, let name = document["current-context"]?.string, !name.isEmpty { current = name }
    }
}
