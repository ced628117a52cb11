import HTTPCore
import Simulators
import Synchronization
import TestDoubles
import TestPrograms

/// What goes wrong in a soak, and what people do in it: one thing after the other, all by the seed.
struct Storm: Sendable {
    let soak: Soak
    let dice: Dice

    /// Returns when it is over; what it broke is whole again then.
    func blow(for length: Duration) async {
        let end = soak.time.now.offset + length
        await withTaskGroup(of: Void.self) { group in
            while soak.time.now.offset < end {
                do { try await soak.time.sleep(for: dice.seconds(5...150)) } catch { return }
                soak.strikes.withLock { $0 += 1 }
                if let later = await strike() { group.addTask { await later.run(soak.time) } }
            }
            group.cancelAll()
        }
        soak.network.clear()
        soak.repository.set(.up)
    }

    /// What ends a trouble after some time.
    private struct Relief: Sendable {
        var after: Duration
        var act: @Sendable () async -> Void

        func run(_ time: VirtualTime) async {
            do { try await time.sleep(for: after) } catch { return }
            await act()
        }
    }

    private func strike() async -> Relief? {
        let (network, repository, story) = (soak.network, soak.repository, soak.story)
        switch dice.number(1...100) {
        case 1...24: commit()
        case 25...29: commit(isRight: false)
        case 30...32:
            commit(back: dice.number(1...2))
        case 33...34:
            story.tell("the branch is set back")
            repository.reset(back: dice.number(1...2))
        case 35...38: return standing(.down, for: dice.seconds(60...900))
        case 39...41: return standing(.pathMissing, for: dice.seconds(30...300))
        case 42...61: return weather(at: dice.pick(Vendors.names), for: dice.seconds(10...400))
        case 62...65:
            story.tell("the API server restarts")
            network.set(.refused, at: "kubernetes")
            soak.vendors.kubernetes.compact()
            return Relief(after: dice.seconds(20...120)) {
                network.set(.fair, at: "kubernetes")
                story.tell("the API server is back")
            }
        case 66...79:
            let vendor = dice.pick(Vendors.names)
            for _ in 0..<dice.number(1...3) { network.befall(vendor, dice.pick(Network.Accident.allCases)) }
        case 80...88: await meddle(at: dice.pick(Vendors.names))
        case 89...95:
            let (boundary, count) = (dice.pick(Life.Boundary.allCases), dice.number(0...5))
            dice.pick(soak.replicas).life?.kill(at: boundary, after: count)
        case 96...97: dice.pick(soak.replicas).life?.kill()
        default: dice.pick(soak.replicas).terminate()
        }
        return nil
    }

    private func commit(isRight: Bool = true, back: Int = 0) {
        var pins = soak.repository.pins
        for _ in 0..<dice.number(1...3) {
            let part = dice.number(0...Part.all.count - 1)
            pins[part] = dice.number(0...Part.all[part].pins.count - 1)
        }
        soak.story.tell("commit\(isRight ? "" : " that does not load")\(back > 0 ? ", \(back) back" : "")")
        soak.repository.commit(pins, isRight: isRight, back: back)
    }

    private func standing(_ standing: Repository.Standing, for length: Duration) -> Relief {
        soak.story.tell("Git: \(standing) for \(length)")
        soak.repository.set(standing)
        return Relief(after: length) { soak.repository.set(.up) }
    }

    private func weather(at vendor: String, for length: Duration) -> Relief {
        let weather = dice.pick([
            Network.Weather.refused, .throttled(retryAfter: dice.number(1...90)), .broken, .unavailable, .silent, .slow, .slow,
        ])
        soak.story.tell("\(vendor): \(weather) for \(length)")
        soak.network.set(weather, at: vendor)
        return Relief(after: length) { soak.network.set(.fair, at: vendor) }
    }

    // MARK: - Other people

    private func meddle(at vendor: String) async {
        let vendors = soak.vendors
        let object = dice.pick(Part.all.filter { $0.target.vendor == vendor }).target.object
        soak.story.tell("somebody is at \(vendor) \(object)")
        switch vendor {
        case "vercel":
            let deployment = "dpl_\(object)_\(dice.pick(["A", "B", "C"]))"
            switch dice.number(1...4) {
            case 1: vendors.vercel.humanPromote(object, deployment)
            case 2: vendors.vercel.humanRollback(object, deployment)
            case 3: vendors.vercel.setAlias(object, "\(object).example.com", deployment)
            default: vendors.vercel.setAutoAssign(object, true)
            }
        case "kubernetes":
            let image = "registry.test/\(object):v\(dice.number(1...3))"
            _ = await vendors.kubernetes.answer(
                HTTPRequest(
                    .patch, "/apis/apps/v1/namespaces/prod/deployments/\(object)?fieldManager=kubectl-edit",
                    headers: [
                        "Authorization": "Bearer \(Vendors.token)", "Content-Type": "application/strategic-merge-patch+json",
                    ],
                    body: Array(#"{"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "\#(image)"}]}}}}"#.utf8)))
        case "fly":
            if dice.chance(50) {
                vendors.fly.deploy(object, tag: dice.pick(["one", "two", "three"]))
            } else {
                vendors.fly.holdLease(object, "\(object)-\(dice.number(1...3))", for: dice.seconds(10...60))
            }
        default:
            switch dice.number(1...4) {
            case 1: vendors.render.redeployByPlatform(object)
            case 2 where object == "docs": vendors.render.setAutoDeploy(object, "commit")
            case 3 where object == "docs": vendors.render.rollBackInDashboard(object, to: "dep-\(dice.pick(["a", "b", "c"]))")
            default: vendors.render.deployInDashboard(object)
            }
        }
        await soak.network.ledger.meddled(with: object, at: vendor, SoakClock(time: soak.time).milliseconds)
    }
}
