/// Where the next page of a list begins. Unlike those of a real server, its pages show the objects as they are by then.
struct PagePosition: Sendable {
    /// Of the whole cluster when the first page was read.
    var version: Int
    private var compactions: Int
    private var namespace: String
    private var name: String

    init(version: Int, after key: ClusterState.Key, in state: ClusterState) {
        self.version = version
        compactions = state.compactions
        namespace = key.namespace
        name = key.name
    }

    /// Throws 410 for a position of before the last compaction.
    init(_ text: String, of state: ClusterState) throws(APIFailure) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, let version = Int(parts[0]), let compactions = Int(parts[1]) else {
            throw .badRequest("continue key is not valid: \(text)")
        }
        guard compactions == state.compactions else {
            throw APIFailure(
                code: 410, reason: "Expired",
                message: "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
                    + "the continue parameter, or use the continue token in this response to retrieve the remainder of the results.")
        }
        self.version = version
        self.compactions = compactions
        namespace = parts[2]
        name = parts[3]
    }

    var text: String { "\(version)/\(compactions)/\(namespace)/\(name)" }

    func isBefore(_ key: ClusterState.Key) -> Bool { (namespace, name) < (key.namespace, key.name) }
}
