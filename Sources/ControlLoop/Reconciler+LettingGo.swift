public import Model
import State

/// How letting go of a whole system ended.
public struct LettingGo: Sendable, Hashable {
    public var system: SystemID
    /// What became of its fences and of its open transition.
    public var done: [String]
    /// What stands in the way; empty when nothing has to be undone any more.
    public var problems: [Problem]

    public init(_ system: SystemID, done: [String] = [], problems: [Problem] = []) {
        self.system = system
        self.done = done
        self.problems = problems
    }
}

extension Reconciler {
    /// Gives every provider the automation back that was switched off for the system's pins, and ends its open transition where it is.
    ///
    /// What runs is left as it is, and what is recorded of releases is kept. May be called again after a crash, and for a system of which
    /// nothing is recorded.
    public func letGo(of system: System, _ options: ForgetOptions) async -> LettingGo {
        var ended = LettingGo(system.id)
        do {
            let store = try store(system)
            // Before anything is locked, because that makes a directory.
            guard try await store.load().owesAnything else { return ended }
            ended = try await store.withLock(options.holder, patience: .seconds(1), clock: clock) { session in
                var ended = LettingGo(system.id)
                let recorded = await session.state
                for (resource, fence) in recorded.fences.sorted(by: { $0.key < $1.key }) {
                    let was = "\(fence.name) stays \(fence.set); before, it was \(fence.previous)"
                    guard !options.leavesFence else {
                        try await session.append(.forgotten(.init(resource, leavesFence: true)), at: now())
                        ended.done.append("\(resource): its fence is left: \(was)")
                        continue
                    }
                    let way = "annotate the object with belay.dev/leave-fences=true, and it goes without that: \(was)"
                    switch try await lower(fence, of: resource.name, recorded, in: session, options, otherwise: way) {
                    case .success(let how): ended.done.append("\(resource): its fence is down: \(how)")
                    case .failure(let problem): ended.problems.append(problem)
                    }
                }
                if let transition = recorded.transition, ended.problems.isEmpty {
                    try await session.append(.closed(.init(transition: transition.id, releases: [:])), at: now())
                    ended.done.append("the open transition to \(transition.revision) ends where it is")
                }
                return ended
            }
        } catch let error as StateError {
            ended.problems = [error.problem]
        } catch {
            ended.problems = [.interrupted(system.id)]
        }
        return ended
    }
}

extension RecordedState {
    /// True if something must be undone before nobody looks after the system any more.
    public var owesAnything: Bool { !fences.isEmpty || transition != nil }
}
