import JSONValues
import Model
import ProviderKit

/// Updates some machines at once, each under a lease.
struct FlyRollout: Sendable {
    /// How long machines are waited for under their leases; afterwards they are only watched.
    static let limit = Duration.seconds(300)

    let api: FlyAPI
    let time: FlyTime
    let target: FlyTarget
    let request: ApplyRequest
    let resource: String
    let way: FlyWay
    let image: FlyImage
    let release: FlyPart.Release?
    let tag: String?

    /// A machine that is to be updated, with what it had.
    struct Work: Sendable {
        var machine: FlyMachine
        var config: JSON
        /// After the update.
        var instance = ""

        /// It ran until it crashed: to be started with the new image, or nobody would.
        var hasCrashed: Bool { machine.stopMark == nil && machine.hasCrashed }

        var wasRunning: Bool { ["started", "starting", "restarting"].contains(machine.state) }
    }

    /// Nothing is sent to any machine unless every one is as it was seen.
    func update(_ parts: [FlyPart.Machine], waits: Bool) async -> ApplyResult {
        let leases = FlyLeases(api: api, time: time, description: "\(FlyMark.lease): \(request.component), intent \(request.intent.id)")
        let result = await withTaskGroup(of: Void.self) { group in
            group.addTask { await leases.keep() }
            let result = await self.update(parts, leases, waits: waits)
            group.cancelAll()
            return result
        }
        await leases.release()
        return result
    }

    private func update(_ parts: [FlyPart.Machine], _ leases: FlyLeases, waits: Bool) async -> ApplyResult {
        var works: [Work] = []
        for part in parts {
            switch await prepare(part, leases) {
            case .success(let work?): works.append(work)
            case .success(nil): continue
            case .failure(let stop): return stop.result
            }
        }
        guard !works.isEmpty else { return .alreadySo }
        if Task.isCancelled { return .throttled(Problem("Interrupted", "\(resource): interrupted before anything was sent")) }
        for index in works.indices {
            do throws(APIError) {
                works[index].instance = try await send(works[index], leases)
            } catch {
                let result = FlyProvider.result(of: error, resource, target)
                guard index > 0 else { return result }
                // Some are updated: what became of them is read back.
                return .unknown(FlyProvider.problem(error, resource, target))
            }
        }
        // One that crashed has to be started once it has settled, whether or not anything else is waited for.
        let awaited = waits ? works : works.filter(\.hasCrashed)
        if !awaited.isEmpty {
            let end = time.elapsed() + Self.limit
            await withTaskGroup(of: Void.self) { group in
                for work in awaited { group.addTask { await self.settle(work, leases, until: end) } }
            }
        }
        return .accepted(Dictionary(works.map { ($0.machine.id, $0.instance) }) { first, _ in first })
    }

    // MARK: - Before

    private struct Stop: Error {
        var result: ApplyResult
    }

    /// Takes the lease and reads the machine. Nil: it has been updated already.
    private func prepare(_ part: FlyPart.Machine, _ leases: FlyLeases) async -> Result<Work?, Stop> {
        func conflict(_ what: String) -> Result<Work?, Stop> {
            .failure(
                Stop(
                    result: .refused(
                        Problem(
                            "Conflict", "\(resource): machine \(part.id) \(what); nothing was sent",
                            next: "the next pass plans anew"))))
        }
        do throws(APIError) {
            let version = try await leases.take(part.id)
            var machine = try await api.machine(part.id, nonce: leases.nonce(of: part.id)).machine
            // Somebody was faster than the reading.
            if let version, version != machine.instance {
                machine = try await api.machine(part.id, nonce: leases.nonce(of: part.id)).machine
            }
            guard machine.instance == part.instance else {
                return isDone(machine) ? .success(nil) : conflict("was changed by somebody else")
            }
            guard machine.isReachable, let current = machine.config else { return conflict("is on a host that does not answer") }
            guard !machine.isReplacing else { return conflict("is being replaced") }
            let base = try await base(for: machine, part) ?? current
            let changesImage = machine.image.digest != image.digest
            var marks: [(key: String, value: String?)] = [
                (FlyMark.intent, request.intent.id), (FlyMark.before, machine.instance), (FlyMark.digestBefore, machine.image.digest),
            ]
            // Without it, the tag stays as long as the image does.
            let tag = tag ?? (changesImage ? nil : machine.image.tag)
            marks.append((FlyMark.image, "\(tag ?? "")@\(image.digest ?? "")"))
            // Whatever version's config it gets.
            marks.append((FlyMark.stopped, machine.metadata[FlyMark.stopped]))
            if let release {
                marks += [(FlyMark.releaseID, release.id), (FlyMark.releaseVersion, String(release.version))]
            } else if changesImage, base == current {
                // Those of another release must not stay.
                marks += [(FlyMark.releaseID, nil), (FlyMark.releaseVersion, nil)]
            }
            return .success(
                Work(machine: machine, config: FlyConfig.edited(base, image: way.image, request.configuration, marks: marks)))
        } catch {
            return .failure(Stop(result: refusal(error)))
        }
    }

    /// True if what was to be done was done, by this very write or by anybody else.
    private func isDone(_ machine: FlyMachine) -> Bool {
        if machine.metadata[FlyMark.intent] == request.intent.id { return true }
        return machine.image.digest == image.digest && FlyConfig.isAsDesired(machine, request.configuration)
    }

    /// An earlier config of the machine that is to come back whole; nil: it keeps the one that it has.
    private func base(for machine: FlyMachine, _ part: FlyPart.Machine) async throws(APIError) -> JSON? {
        let restores = request.configuration?.restores == true && !way.isReconfiguration
        guard part.exact != nil || restores else { return nil }
        let versions = try await api.versions(machine.id)
        if let exact = part.exact, let found = versions.first(where: { $0.version == exact }) { return found.config }
        guard restores else { return nil }
        return versions.first { version in
            let image = FlyImage(version.config["image"]?.string)
            if let digest = image?.digest { return digest == self.image.digest }
            return release != nil && version.config["metadata"]?[FlyMark.releaseVersion]?.string == release.map { String($0.version) }
        }?.config
    }

    /// What an error before the first update means: certainly nothing has changed.
    private func refusal(_ error: APIError) -> ApplyResult {
        var problem = FlyProvider.problem(error, resource, target)
        switch error.code {
        case .conflict:
            // Somebody's lease: the vendor's own deploys hold them for 13 seconds at a time.
            problem.retryAfter = problem.retryAfter ?? .seconds(FlyLeases.seconds)
            return .throttled(problem)
        case .rateLimited, .server, .transport: return .throttled(problem)
        default: return .refused(problem)
        }
    }

    // MARK: - The update

    private func send(_ work: Work, _ leases: FlyLeases) async throws(APIError) -> String {
        var body: JSON = ["config": work.config, "current_version": .string(work.machine.instance)]
        // A machine that did not run stays so.
        if !work.wasRunning { body["skip_launch"] = true }
        if let version = api.affinity.secretsVersion(of: target.app) { body["min_secrets_version"] = .integer(version) }
        return try await api.update(work.machine.id, body, nonce: leases.nonce(of: work.machine.id))
    }

    // MARK: - After

    /// Waits until a machine is where it was and is well, or is somewhere else, or the time is over. What became of it is observed.
    private func settle(_ work: Work, _ leases: FlyLeases, until end: Duration) async {
        let id = work.machine.id
        var isThere = false
        var isStarted = false
        while !Task.isCancelled, time.elapsed() < end {
            let begun = time.elapsed()
            if !isThere {
                let left = Int((end - begun).components.seconds)
                do throws(APIError) {
                    isThere = try await api.wait(
                        id, version: work.instance, state: work.wasRunning ? "started" : "stopped", seconds: left,
                        nonce: leases.nonce(of: id))
                } catch {}  // A reading that failed is made again; the end bounds it.
            }
            if work.hasCrashed, !isStarted {
                // Refused while the machine is not settled yet; asked again then.
                if isThere { isStarted = await start(work, leases) }
            } else if await isOver(work, leases) {
                return
            }
            // One reading a second is what the vendor allows, and a wait that is answered at once must not become a spin.
            if time.elapsed() - begun < .seconds(1) {
                do { try await time.sleep(.seconds(1)) } catch { return }
            }
        }
    }

    private func start(_ work: Work, _ leases: FlyLeases) async -> Bool {
        do throws(APIError) {
            try await api.start(work.machine.id, nonce: leases.nonce(of: work.machine.id))
            return true
        } catch {
            return false
        }
    }

    private func isOver(_ work: Work, _ leases: FlyLeases) async -> Bool {
        let id = work.machine.id
        do throws(APIError) {
            let (machine, now) = try await api.machine(id, nonce: leases.nonce(of: id))
            // The platform took it back, or somebody replaced it.
            guard machine.instance == work.instance else { return !machine.isReplacing }
            switch machine.health(at: now, resource) {
            case .progressing: return false
            case .failed: return true
            case .settled:
                if work.machine.isCordoned, !machine.isCordoned { try await api.cordon(id, nonce: leases.nonce(of: id)) }
                return true
            }
        } catch {
            return false
        }
    }
}
