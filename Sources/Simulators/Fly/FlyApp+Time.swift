import JSONValues

extension FlyApp {
    private enum Event {
        case step(machine: Int, step: Int)
        case deployment(Int)
    }

    /// Lets everything happen that was due by then, in its order.
    mutating func settle(until now: Int64) {
        while let (at, event) = nextEvent(), at <= now {
            switch event {
            case .step(let machine, let place):
                let step = machines[machine].steps.remove(at: place).step
                happen(machine, step, at)
            case .deployment(let index): advance(index, at)
            }
        }
        machines.removeAll { machine in
            machine.isForgotten && machine.destroyedAt.map { $0 + timing.forget <= now } == true
        }
    }

    private func nextEvent() -> (at: Int64, event: Event)? {
        var next: (at: Int64, event: Event)?
        for machine in machines.indices {
            for (place, step) in machines[machine].steps.enumerated() where step.at < next?.at ?? .max {
                next = (step.at, .step(machine: machine, step: place))
            }
        }
        for (index, deployment) in deployments.enumerated() where deployment.at < next?.at ?? .max {
            next = (deployment.at, .deployment(index))
        }
        return next
    }

    private mutating func happen(_ index: Int, _ step: FlyMachine.Step, _ at: Int64) {
        machines[index].updatedAt = at
        switch step {
        case .become(let state, let type, let source):
            machines[index].state = state
            machines[index].startedAt = state == "started" ? at : nil
            if state == "destroyed" {
                machines[index].destroyedAt = at
                machines[index].lease = nil
            }
            event(index, type, state, source, at)
        case .revert(let version, let state):
            machines[index].current = version
            machines[index].state = state
            machines[index].startedAt = state == "started" ? at : nil
            // What was there before runs again: nothing says that the update failed but the version.
            machines[index].events = []
            event(index, "launch", "created", "flyd", at)
            if state == "started" { event(index, "start", "started", "flyd", at) }
        case .exit(let count):
            let isLast = count >= FlyMachine.restarts
            let exit: JSON = [
                "exit_code": 1, "guest_exit_code": 0, "guest_signal": -1, "oom_killed": false, "requested_stop": false,
                "restarting": .bool(!isLast), "signal": -1, "exited_at": .string(SimulatedTime.rfc3339(at)),
            ]
            event(
                index, "exit", "stopped", "flyd", at,
                ["exit_event": exit, "MonitorEvent": ["exit_event": exit], "restart_count": .integer(count)])
            if isLast {
                machines[index].state = "stopped"
                machines[index].startedAt = nil
            } else {
                event(index, "start", "started", "flyd", at)
            }
        }
    }

    // MARK: - Somebody's deploy

    private mutating func advance(_ index: Int, _ at: Int64) {
        deployments[index].at = at + FlyDeployment.pause
        guard let id = deployments[index].current else { return begin(index, at) }
        guard let machine = self.index(of: id) else {
            deployments[index].current = nil
            return
        }
        if machines[machine].isSettled {
            machines[machine].lease = nil
            deployments[index].current = nil
            // The image could not be pulled: whoever deploys sees that and gives up.
            if machines[machine].version.image.digest != deployments[index].image.digest { end(index, .failed) }
        } else if at - deployments[index].currentSince > FlyDeployment.patience {
            machines[machine].lease = nil
            end(index, .failed)
        } else {
            machines[machine].lease?.expiresAt = at + FlyDeployment.ttl
        }
    }

    /// Takes the next machine under a lease, or waits for whoever holds it.
    private mutating func begin(_ index: Int, _ at: Int64) {
        let deployment = deployments[index]
        guard let id = deployment.machines.first else { return end(index, .complete) }
        guard let machine = self.index(of: id), !machines[machine].isDestroyed, machines[machine].host == .ok else {
            deployments[index].machines.removeFirst()
            return
        }
        guard machines[machine].lease(at: at) == nil, machines[machine].isSettled else { return }
        deployments[index].machines.removeFirst()
        deployments[index].current = id
        deployments[index].currentSince = at
        machines[machine].lease = FlyMachine.Lease(
            nonce: identifiers.nonce(), owner: deployment.user, description: "", expiresAt: at + FlyDeployment.ttl)
        var config = machines[machine].config
        config["image"] = .string(deployment.name)
        config["metadata"]?["fly_release_id"] = .string(deployment.release)
        config["metadata"]?["fly_release_version"] = .string(String(deployment.version))
        update(machine, config: config, image: deployment.image, leastSecrets: .max, at: at, byHuman: true)
    }

    private mutating func end(_ index: Int, _ status: FlyRelease.Status) {
        updateRelease(deployments[index].release) { $0.status = status }
        deployments.remove(at: index)
    }
}
