import JSONValues
import Leases
import Model

extension LoopLines {
    /// Tells who leads.
    func write(_ standing: LeaderElector.Standing, of identity: String) {
        let leader = standing.leader.map { "\($0) leads" } ?? "nobody leads yet"
        let text = standing.isLeader ? "\(identity): this replica leads" : "\(identity): this replica follows; \(leader)"
        line(
            text, standing.trouble, standing.isLeader ? "Leading" : "Following",
            [("replica", .string(identity)), ("leader", .optional(standing.leader))])
    }

    /// Tells which replicas live.
    func write(_ standing: Replicas.Standing, of identity: String) {
        let others = standing.members.filter { $0 != identity }
        let company = others.isEmpty ? "this replica is the only one" : "this replica works beside \(others.joined(separator: ", "))"
        line(
            standing.isMember ? "\(identity): \(company)" : "\(identity): this replica works on nothing", standing.trouble, "Replicas",
            [
                ("replica", .string(identity)), ("isMember", .bool(standing.isMember)),
                ("members", .array(standing.members.map(JSON.string))),
            ])
    }
}
