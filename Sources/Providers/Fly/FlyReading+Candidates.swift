import Model
import ProviderKit

extension FlyReading {
    /// Every release that was seen, the newest first, with the way to it.
    var candidates: [Candidate] {
        var found: [Candidate] = []
        var digests: Set<String> = []
        for row in releases {
            guard let digest = digest(of: row) else {
                found.append(unresolved(row))
                continue
            }
            let image = row.image ?? FlyImage(repository: repository)
            digests.insert(digest)
            found.append(candidate(release(digest, version: row.version, image, row), image.repository, digest, row))
        }
        for machine in machines where !digests.contains(digest(of: machine)) {
            let digest = digest(of: machine)
            digests.insert(digest)
            found.append(candidate(release(running: digest, on: machine), machine.image.repository, digest, nil))
        }
        // What the pin means, or meant, and neither the ledger nor a machine knows.
        for (image, manifest) in manifests.sorted(by: { $0.key.description < $1.key.description }) {
            switch manifest {
            case .found(let digest, _) where digests.insert(digest).inserted:
                found.append(candidate(release(digest, version: nil, image, nil), image.repository, digest, nil))
            // A tag that is in neither place was never one.
            case .gone
            where image.digest != nil
                && !found.contains(where: { candidate in candidate.release.names.contains { image.names.contains($0.value) } }):
                let identity = ArtifactIdentity(.image, image.digest ?? image.description)
                found.append(
                    Candidate(
                        Release(label: image.description, names: image.names.map { ReleaseName(.image, $0, denotes: identity) }),
                        routes: [],
                        gone: goneProblem(image.description)))
            case .found, .gone, .unknown: continue
            }
        }
        return found
    }

    /// A row whose image's digest nobody told.
    private func unresolved(_ row: FlyRelease) -> Candidate {
        let name = row.image?.description ?? "v\(row.version)"
        let identity = ArtifactIdentity(.image, name)
        let image = row.image ?? FlyImage(repository: "")
        var release = release(name, version: row.version, image, row)
        release.names =
            [ReleaseName(.deployment, "v\(row.version)", denotes: identity)]
            + image.names.map { ReleaseName(.image, $0, denotes: identity) }
        switch row.image.flatMap({ manifests[$0] }) {
        case .gone: return Candidate(release, routes: [], gone: goneProblem(name))
        case .unknown(let why):
            return Candidate(release, routes: [closed(name, "the registry could not be asked for it: \(why)")])
        case .found, nil: return Candidate(release, routes: [closed(name, "its digest was not looked for")])
        }
    }

    private func closed(_ image: String, _ why: String) -> Route {
        Route(
            .undo, means: "update to \(image)", class: .minutes, token: FlyWay(image: image, isReconfiguration: false).token,
            isIdempotent: true,
            refusal: Problem(
                "DigestUnknown", "\(resource): what \(image) names is not known: \(why)", next: "the next pass asks again; or pin a digest")
        )
    }

    private func goneProblem(_ image: String) -> Problem {
        Problem(
            "ImageGone", "\(resource): \(image) is not in the registry any more",
            next: "build and push it again, or pin a release whose image is there")
    }

    private func candidate(_ release: Release, _ repository: String, _ digest: String, _ row: FlyRelease?) -> Candidate {
        if isGone(digest, row?.image) { return Candidate(release, routes: [], gone: goneProblem(release.label)) }
        guard digest.hasPrefix("sha256:") else { return Candidate(release, routes: [closed(digest, "a machine did not tell its digest")]) }
        let hasRun = row != nil || question.isResolved(digest) || machines.contains { self.digest(of: $0) == digest }
        let way = FlyWay(image: "\(repository)@\(digest)", isReconfiguration: false)
        return Candidate(release, routes: [route(hasRun ? .undo : .redeploy, way, digest, row)])
    }

    private func isGone(_ digest: String, _ image: FlyImage?) -> Bool {
        for (asked, manifest) in manifests where manifest == .gone {
            if asked.digest == digest || image != nil && asked == image && asked.digest == nil { return true }
        }
        return false
    }

    // MARK: - The way

    /// - Parameter digest: canonical.
    func route(_ verb: Verb, _ way: FlyWay, _ digest: String, _ row: FlyRelease?) -> Route {
        let pending = pendingSecrets
        let outdated = reachable.filter { !isUpToDate($0, digest) }
        let batch = nextBatch(outdated, digest)
        // What is set and removed first reaches every machine that runs.
        let isStaging = !pending.set.isEmpty || !pending.unset.isEmpty
        let due =
            isStaging ? reachable.count { machine in !machine.isStopped || outdated.contains { $0.id == machine.id } } : outdated.count
        let part: FlyPart?
        if let key = pending.set.first {
            part = .set(key, mark: secrets?.first { $0.name == key }?.mark ?? "")
        } else if let key = pending.unset.first {
            part = .unset(key)
        } else if !batch.isEmpty {
            part = .update(
                batch.map { FlyPart.Machine(id: $0.id, instance: $0.instance, exact: exactVersion(of: $0, digest, way)) },
                release: row.map { FlyPart.Release(id: $0.id, version: $0.version) }, tag: row?.image?.tag ?? tag(of: digest),
                waits: target.strategy == .rolling)
        } else {
            part = startPart
        }
        var route = Route(
            verb, means: means(due, pending, way), class: .minutes, token: way.token, part: part?.text,
            key: pending.set.first, isIdempotent: true, cautions: cautions(row, outdated), refusal: refusal(digest, outdated))
        if part == nil, route.refusal == nil, !outdated.isEmpty || machines.contains(where: { self.digest(of: $0) != digest }) {
            route.refusal = unreachable(machines.filter { !$0.isReachable })
        }
        return route
    }

    private func means(_ count: Int, _ pending: (set: [String], unset: [String]), _ way: FlyWay) -> String {
        var steps: [String] = []
        if !pending.set.isEmpty { steps.append("set \(pending.set.count) \(pending.set.count == 1 ? "secret" : "secrets")") }
        if !pending.unset.isEmpty { steps.append("remove \(pending.unset.count) \(pending.unset.count == 1 ? "secret" : "secrets")") }
        let machines = "\(count) \(count == 1 ? "machine" : "machines")"
        let what = way.isReconfiguration ? "in place" : "to \(way.image.split(separator: "@").last.map { String($0.prefix(19)) } ?? "")"
        if count == 0, let startWords { return (steps + [startWords]).joined(separator: ", then ") }
        switch target.strategy {
        case .rolling: steps.append("update \(machines) \(what), the first alone, then \(target.maxUnavailable) at a time")
        case .immediate: steps.append("update \(machines) \(what), all at once")
        }
        return (steps + [startWords].compactMap(\.self)).joined(separator: ", then ")
    }

    private func cautions(_ row: FlyRelease?, _ outdated: [FlyMachine]) -> [String] {
        var cautions: [String] = []
        let staged = stagedSecrets
        if !staged.isEmpty {
            cautions.append("applies secrets that are staged: \(staged.joined(separator: ", "))")
        }
        if let row, row.status != "complete" { cautions.append("release v\(row.version) is recorded as \(row.status)") }
        for machine in machines where !machine.isReachable {
            cautions.append("machine \(machine.id) is on a host that does not answer and is left out")
        }
        if outdated.contains(where: { $0.isStopped && $0.stopMark == nil }) { cautions.append("machines that are stopped stay stopped") }
        return cautions
    }

    /// A machine that was updated and fails keeps the others from being updated.
    private func refusal(_ digest: String, _ outdated: [FlyMachine]) -> Problem? {
        guard target.strategy == .rolling else { return nil }
        for machine in reachable where self.digest(of: machine) == digest && !outdated.contains(where: { $0.id == machine.id }) {
            guard !outdated.isEmpty, case .failed(var problem) = machine.health(at: time, resource) else { continue }
            problem.next = "pin another release, which updates the machine that fails as well; or mend what it depends on"
            return problem
        }
        return nil
    }

    // MARK: - Machines

    /// True if it runs the image with what is desired.
    func isUpToDate(_ machine: FlyMachine, _ digest: String) -> Bool {
        self.digest(of: machine) == digest && FlyConfig.isAsDesired(machine, request.configuration) && unapplied(to: machine).isEmpty
    }

    /// Started machines first, the first of all alone; stopped ones need no watching.
    private func nextBatch(_ outdated: [FlyMachine], _ digest: String) -> [FlyMachine] {
        guard target.strategy == .rolling else { return outdated }
        let running = outdated.filter { !$0.isStopped }
        guard !running.isEmpty else { return Array(outdated.prefix(30)) }
        let isBegun = reachable.contains { machine in !machine.isStopped && !outdated.contains { $0.id == machine.id } }
        return Array(running.prefix(isBegun ? target.batch(of: machines.count) : 1))
    }

    /// The version that it had before an update of ours that is being taken back; nil when it just gets another image.
    private func exactVersion(of machine: FlyMachine, _ digest: String, _ way: FlyWay) -> String? {
        guard !way.isReconfiguration, self.digest(of: machine) != digest, machine.isByBelay, let before = machine.metadata[FlyMark.before],
            machine.metadata[FlyMark.digestBefore].map(canonical) == digest
        else { return nil }
        // Only a rollout that did not get through is taken back whole: afterwards, people may have changed what belongs to the new release.
        let isHalf = reachable.contains { self.digest(of: $0) == digest }
        let hasFailed = reachable.contains { other in
            guard other.isByBelay, case .failed = other.health(at: time, resource) else { return false }
            return true
        }
        return isHalf || hasFailed || request.configuration?.restores == true ? before : nil
    }
}
