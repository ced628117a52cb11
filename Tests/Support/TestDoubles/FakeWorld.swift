package import Model
package import ProviderKit
import Synchronization

package struct FakeTarget: Target {
    package static let provider = "fake"
    package var identity: String

    package init(identity: String) { self.identity = identity }
}

/// A provider whose releases are `v1`, `v2`, `v3`; a write is never idempotent and each one is counted.
package final class FakeWorld: Provider {
    package struct Place: Sendable {
        package var declared: String?
        /// What a write has asked for and nobody sees yet.
        package var coming: String?
        /// How many looks it takes until it is seen.
        package var lag: Int
        /// What the looks after a write find; settled when there are no more.
        package var settlements: [Settlement]
        /// Of each write that took effect.
        package var effects: [String] = []
        /// When it was looked at, and when it was written to.
        package var looks: [Duration] = []
        package var writes: [Duration] = []
        /// Nil where it cannot be stopped.
        package var isStopped: Bool?
        /// How many looks it takes until a stop is seen.
        package var stopLag = 0
        /// Every stop that took effect.
        package var stops = 0

        package init(declared: String? = "v1", lag: Int = 0, settlements: [Settlement] = [], isStopped: Bool? = nil) {
            self.isStopped = isStopped
            self.declared = declared
            self.lag = lag
            self.settlements = settlements
        }
    }

    /// What becomes of a write.
    package struct Answer: Sendable {
        package var takesEffect: Bool
        package var result: ApplyResult

        package init(takesEffect: Bool, result: ApplyResult) {
            self.takesEffect = takesEffect
            self.result = result
        }

        package static let accepted = Answer(takesEffect: true, result: .accepted(["deployment": "new"]))
        package static func without(_ result: ApplyResult) -> Answer { Answer(takesEffect: false, result: result) }
        package static func lost(takesEffect: Bool) -> Answer {
            Answer(takesEffect: takesEffect, result: .unknown(Problem("Lost", "fake/web: no answer while writing")))
        }
    }

    /// What deploys by itself, at every place.
    package struct Automatic: Sendable {
        package var value: String
        /// True if it takes what it is set to and stays as it is.
        package var isStuck: Bool

        package init(value: String, isStuck: Bool = false) {
            self.value = value
            self.isStuck = isStuck
        }
    }

    private let places: Mutex<[String: Place]>
    private let automatic = Mutex<Automatic?>(nil)
    private let now: @Sendable () -> Duration
    /// By the number of the write at its place, counted from 1.
    private let answer: @Sendable (String, Int, ApplyRequest) async -> Answer
    /// Changes what a look finds; by its number, counted from 1.
    private let look: @Sendable (String, Int, Observation) async -> Observation

    package init(
        _ places: [String: Place], now: @escaping @Sendable () -> Duration,
        answer: @escaping @Sendable (String, Int, ApplyRequest) async -> Answer = { _, _, _ in .accepted },
        look: @escaping @Sendable (String, Int, Observation) async -> Observation = { $2 }
    ) {
        self.places = Mutex(places)
        self.now = now
        self.answer = answer
        self.look = look
    }

    package subscript(name: String) -> Place {
        get { places.withLock { $0[name] ?? Place() } }
        set { places.withLock { $0[name] = newValue } }
    }

    package var automation: Automatic? {
        get { automatic.withLock { $0 } }
        set { automatic.withLock { $0 = newValue } }
    }

    package func observe(_ target: FakeTarget, _ request: ObservationRequest) async -> Observation {
        let time = now()
        let (place, settlement, isComing) = places.withLock { places -> (Place, Settlement, Bool) in
            var place = places[target.identity] ?? Place()
            place.looks.append(time)
            if place.coming != nil {
                if place.lag > 0 { place.lag -= 1 } else { (place.declared, place.coming) = (place.coming, nil) }
            }
            if place.isStopped == true, place.stopLag > 0 { place.stopLag -= 1 }
            var settlement = Settlement.settled
            if place.coming == nil, !place.effects.isEmpty, !place.settlements.isEmpty { settlement = place.settlements.removeFirst() }
            places[target.identity] = place
            return (place, settlement, place.coming != nil)
        }
        let candidates = ["v3", "v2", "v1"].map { Candidate(.fake($0), routes: [.fake($0)]) }
        var observation = Observation(
            live: place.declared.map { .release(declared: .fake($0), serving: [.fake($0)]) } ?? .nothing, settlement: settlement,
            candidates: candidates, providerTime: Timestamp(millisecondsSinceEpoch: 1))
        switch place.isStopped {
        case true? where place.stopLag > 0: observation.stoppage = .stopping("one is ending", start: .fake(place.declared ?? ""))
        case true?:
            observation.stoppage = .stopped(start: .fake(place.declared ?? ""))
            if let declared = observation.live.declared { observation.live = .release(declared: declared, serving: []) }
            observation.settlement = .progressing("stopped")
        case false?: observation.stoppage = .possible(means: "scale from 3 to 0", memory: "3")
        case nil: break
        }
        if let value = automation?.value {
            observation.automation = Automation(
                name: "autoDeploy", summary: "deploys every push", isOn: value != "off", value: value, off: "off")
        }
        if let intent = request.openIntent {
            observation.fate = place.effects.contains(intent.id) ? (isComing ? .inFlight : .tookEffect) : .void
        }
        return await look(target.identity, place.looks.count, observation)
    }

    package func apply(_ change: ReleaseChange, to target: FakeTarget, _ request: ApplyRequest) async -> ApplyResult {
        let time = now()
        let number = places.withLock { places in
            places[target.identity, default: Place()].writes.append(time)
            return places[target.identity]?.writes.count ?? 0
        }
        let answer = await answer(target.identity, number, request)
        if answer.takesEffect {
            places.withLock { places in
                places[target.identity]?.coming = change.route.token
                if places[target.identity]?.isStopped == true { places[target.identity]?.isStopped = false }
                places[target.identity]?.effects.append(request.intent.id)
            }
        }
        return answer.result
    }

    package func stop(_ target: FakeTarget, as stop: Stop, _ request: ApplyRequest) async -> ApplyResult {
        let number = places.withLock { places in
            places[target.identity, default: Place()].writes.append(now())
            return places[target.identity]?.writes.count ?? 0
        }
        let answer = await answer(target.identity, number, request)
        if answer.takesEffect {
            places.withLock { places in
                places[target.identity]?.isStopped = true
                places[target.identity]?.stops += 1
            }
        }
        return answer.result
    }

    package func setAutomation(_ change: FenceChange, of target: FakeTarget, _ request: ApplyRequest) async -> ApplyResult {
        automatic.withLock { automatic in
            if automatic?.isStuck == false { automatic?.value = change.to }
        }
        return .accepted([:])
    }
}

extension Release {
    package static func fake(_ name: String) -> Release {
        Release(label: name, names: [ReleaseName(.image, name, denotes: ArtifactIdentity(.image, name))])
    }
}

extension Route {
    package static func fake(_ name: String) -> Route {
        Route(.undo, means: "fake rollback", class: .instant, token: name, isIdempotent: false)
    }
}
