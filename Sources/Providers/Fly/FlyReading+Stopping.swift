import Model
import ProviderKit

extension FlyReading {
    /// Those that Belay has stopped, or was to stop.
    var marked: [FlyMachine] { machines.filter { $0.stopMark != nil } }

    var stoppage: Stoppage {
        guard marked.isEmpty else {
            let start = startRoute
            if let loud = machines.first(where: { !$0.isQuiet }) {
                let state = loud.isReachable ? loud.state : "on a host that does not answer"
                return .stopping("machine \(loud.id) is \(state)\(loud.isCordoned ? "" : " and not cordoned")", start: start)
            }
            if let watched = machines.first(where: isWatched) {
                return .stopping("machine \(watched.id) restarts always and is watched", start: start)
            }
            return .stopped(start: start)
        }
        if let problem = unreachable(machines.filter { !$0.isReachable }) { return .impossible(problem) }
        guard declaredDigest?.hasPrefix("sha256:") == true else {
            return .impossible(
                Problem("CannotStop", "\(resource): a machine did not tell the digest of its image, so that it could not be started again"))
        }
        let running = machines.filter { !$0.isStopped }
        var cautions: [String] = []
        if running.contains(where: \.restartsAlways) {
            cautions.append("the restart policy always works against a stop: Belay looks again until the machines stay stopped")
        }
        return .possible(
            means:
                "cordon \(words(machines.count)), and stop \(running.count == machines.count ? "them" : "the \(running.count) that run")",
            memory: running.map(\.id).joined(separator: " "), cautions: cautions)
    }

    private func isWatched(_ machine: FlyMachine) -> Bool {
        guard machine.restartsAlways, let time, let updated = machine.updated else { return false }
        return time - updated < FlyMachine.watch
    }

    /// The way to have what is declared run again.
    private var startRoute: Route {
        let digest = declaredDigest ?? ""
        let repository = machines.first { self.digest(of: $0) == digest }?.image.repository ?? repository
        return route(.undo, FlyWay(image: "\(repository)@\(digest)", isReconfiguration: false), digest, nil)
    }

    /// What comes after the machines have the release: first they are started, then traffic may come again.
    var startPart: FlyPart? {
        let waiting = reachable.filter(\.needsStart).map(\.id)
        if !waiting.isEmpty { return .start(waiting) }
        let marked = marked.filter(\.isReachable).map(\.id)
        return marked.isEmpty ? nil : .open(marked)
    }

    /// For a route's means; nil when Belay has not stopped anything.
    var startWords: String? {
        guard !marked.isEmpty else { return nil }
        let count = marked.count { $0.stopMark?.starts == true }
        return "start \(words(count)) again"
    }

    private func words(_ count: Int) -> String { "\(count) \(count == 1 ? "machine" : "machines")" }

    // MARK: - A lost answer

    func fateOfStart(_ ids: [String]) -> IntentFate {
        var (isInFlight, isUntouched) = (false, false)
        // Destroyed since: nothing is left that could be started.
        for machine in machines where ids.contains(machine.id) {
            if machine.needsStart {
                guard !machine.hasCrashed, machine.state != "failed" else {
                    if case .failed(let problem) = machine.health(at: time, resource) { return .failed(problem) }
                    continue
                }
                isUntouched = true
                continue
            }
            switch machine.health(at: time, resource) {
            case .progressing: isInFlight = true
            case .failed(let problem): return .failed(problem)
            case .settled: break
            }
        }
        if isInFlight { return .inFlight }
        return isUntouched ? .void : .tookEffect
    }

    func fateOfOpening(_ ids: [String]) -> IntentFate {
        marked.contains { ids.contains($0.id) } ? .void : .tookEffect
    }
}
