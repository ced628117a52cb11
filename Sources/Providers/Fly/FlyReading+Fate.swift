import JSONValues
import Model
import ProviderKit

extension FlyReading {
    /// What became of a write whose effect had not been seen.
    func fate(of intent: Intent) -> IntentFate {
        guard let way = FlyWay(token: intent.route.token), let part = FlyPart(intent.route.part) else {
            return .undecided("the intent \(intent.id) holds a route that this version does not know")
        }
        switch part {
        case .set(let key, let mark):
            guard let secrets else { return .undecided("the app's secrets could not be read") }
            guard let secret = secrets.first(where: { $0.name == key }), secret.mark != mark else { return .void }
            return .tookEffect
        case .unset(let key):
            guard let secrets else { return .undecided("the app's secrets could not be read") }
            return secrets.contains { $0.name == key } ? .void : .tookEffect
        case .update(let machines, _, _, _):
            return fate(of: machines, way, intent)
        case .start(let machines): return fateOfStart(machines)
        case .open(let machines): return fateOfOpening(machines)
        }
    }

    private func fate(of parts: [FlyPart.Machine], _ way: FlyWay, _ intent: Intent) -> IntentFate {
        let digest = FlyImage(way.image)?.digest.map(canonical) ?? ""
        var isInFlight = false
        var isUntouched = false
        for part in parts {
            // Destroyed since: nothing is left that could be updated.
            guard let machine = machines.first(where: { $0.id == part.id }) else { continue }
            guard machine.isReachable else {
                isInFlight = isInFlight || machine.instance != part.instance
                isUntouched = isUntouched || machine.instance == part.instance
                continue
            }
            let isOurs = machine.metadata[FlyMark.intent] == intent.id
            if machine.isReplacing || isOurs || machine.instance != part.instance && self.digest(of: machine) == digest {
                switch machine.health(at: time, resource) {
                case .progressing: isInFlight = true
                case .failed(let problem): return .failed(problem)
                case .settled where self.digest(of: machine) == digest: break
                case .settled: return .failed(reverted(machine, way))
                }
                continue
            }
            let versions = versions[machine.id] ?? []
            let wasThere = versions.contains { $0.config["metadata"]?[FlyMark.intent]?.string == intent.id }
            // The platform takes back what it cannot start, and the machine is started all the same.
            if wasThere, machine.instance == part.instance { return .failed(reverted(machine, way)) }
            isUntouched = true
        }
        if isInFlight { return .inFlight }
        return isUntouched ? .void : .tookEffect
    }

    private func reverted(_ machine: FlyMachine, _ way: FlyWay) -> Problem {
        Problem(
            "UpdateReverted",
            "\(resource): machine \(machine.id) went back to \(release(running: digest(of: machine), on: machine).label): "
                + "\(way.image) could not be started",
            next: "look at 'fly machine status \(machine.id)'; mostly the image cannot be pulled")
    }
}
