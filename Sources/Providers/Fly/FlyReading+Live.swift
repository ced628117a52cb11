import Model
import ProviderKit

extension FlyReading {
    /// Machines by what they run, the most common image first; those that are not what is asked for come before those that are, so that a
    /// rollout that is half done has not arrived.
    private var images: [(digest: String, machines: [FlyMachine])] {
        let shown = reachable.isEmpty ? machines : reachable
        return Dictionary(grouping: shown, by: digest).map { (digest: $0.key, machines: $0.value) }.sorted { left, right in
            func rank(_ image: (digest: String, machines: [FlyMachine])) -> (Int, Int, Int, String) {
                (
                    image.machines.allSatisfy(isMeant) ? 0 : 1, image.machines.count,
                    image.machines.compactMap(\.releaseVersion).max() ?? 0,
                    image.digest
                )
            }
            return rank(left) > rank(right)
        }
    }

    var live: Live {
        guard let first = images.first, let machine = first.machines.first else { return .nothing }
        guard marked.isEmpty else { return .release(declared: release(running: first.digest, on: machine), serving: loud) }
        let rest = images.dropFirst().compactMap { image in image.machines.first.map { release(running: image.digest, on: $0) } }
        var serving = [release(running: first.digest, on: machine)] + rest
        for machine in machines where !machine.isReachable {
            let release = release(running: digest(of: machine), on: machine)
            // It may answer again at any time, with what it has.
            if !serving.contains(where: { !$0.identities.isDisjoint(with: release.identities) }) { serving.append(release) }
        }
        return .release(declared: serving[0], serving: serving)
    }

    /// Of an app that Belay stops: what runs, or may start, all the same.
    private var loud: [Release] {
        var serving: [Release] = []
        for machine in machines where !machine.isQuiet {
            let release = release(running: digest(of: machine), on: machine)
            if !serving.contains(where: { !$0.identities.isDisjoint(with: release.identities) }) { serving.append(release) }
        }
        return serving
    }

    var isMixed: Bool { images.count > 1 }

    /// The digest that is declared; nil when nothing is.
    var declaredDigest: String? { images.first?.digest }

    func release(running digest: String, on machine: FlyMachine) -> Release {
        let rows = releases.filter { self.digest(of: $0) == digest }
        let row = rows.first { $0.version == machine.releaseVersion } ?? rows.first
        return release(digest, version: machine.releaseVersion ?? row?.version, machine.image, row)
    }

    /// - Parameter digest: canonical.
    func release(_ digest: String, version: Int?, _ image: FlyImage, _ row: FlyRelease?) -> Release {
        let identity = ArtifactIdentity(.image, digest)
        var known = image
        known.digest = digest.hasPrefix("sha256:") ? digest : nil
        known.tag = row?.image?.tag ?? image.tag ?? tag(of: digest)
        var names = version.map { [ReleaseName(.deployment, "v\($0)", denotes: identity)] } ?? []
        var lineage: [ArtifactIdentity] = []
        for name in known.names { names.append(ReleaseName(.image, name, denotes: identity)) }
        for other in others(of: digest) {
            lineage.append(ArtifactIdentity(.image, other))
            names.append(ReleaseName(.image, other, denotes: identity))
            names.append(ReleaseName(.image, "\(known.repository)@\(other)", denotes: identity))
        }
        if names.isEmpty { names.append(ReleaseName(.image, digest, denotes: identity)) }
        let what = known.tag ?? String(digest.prefix(19))
        var note: [String] = []
        if let row, row.status != "complete" { note.append("recorded as \(row.status)") }
        if let user = row?.user { note.append("by \(user)") }
        return Release(
            label: version.map { "v\($0) (\(what))" } ?? what, names: names, lineage: lineage, created: row?.created,
            note: note.isEmpty ? row?.note : note.joined(separator: ", "))
    }

    // MARK: - Settlement

    var settlement: Settlement {
        var progress: [String] = marked.isEmpty ? [] : ["stopped by Belay: its way to a release starts it again"]
        for machine in reachable where !machine.isQuiet {
            switch machine.health(at: time, resource) {
            case .settled: break
            case .progressing(let words): progress.append("machine \(machine.id) \(words)")
            case .failed(let problem): return .failed(problem)
            }
        }
        let lost = machines.filter { !$0.isReachable }
        if let problem = unreachable(
            lost.filter { machine in !reachable.isEmpty && digest(of: machine) != declaredDigest || !isMeant(machine) })
        {
            return .failed(problem)
        }
        if isMixed { progress.append("mixed images: \(mixture)") }
        progress += lost.map { "machine \($0.id) is on a host that does not answer" }
        guard let first = progress.first else { return .settled }
        return .progressing(progress.count == 1 ? first : "\(first), and \(progress.count - 1) more")
    }

    func unreachable(_ lost: [FlyMachine]) -> Problem? {
        guard !lost.isEmpty else { return nil }
        return Problem(
            "HostUnreachable",
            "\(resource): \(lost.map(\.id).joined(separator: ", ")) \(lost.count == 1 ? "is" : "are") on a host that does not answer, "
                + "cannot be updated, and may come back with another release",
            next:
                "wait for the host (https://status.flyio.net), or destroy the machine with 'fly machine destroy --force' and clone another;"
                + " with a volume, restore it first")
    }

    /// `v86 on 148e21a0000001; v87 on 148e21a0000002`.
    var mixture: String {
        images.map { image in
            let label = image.machines.first.map { release(running: image.digest, on: $0).label } ?? image.digest
            return "\(label) on \(image.machines.map(\.id).joined(separator: ", "))"
        }.joined(separator: "; ")
    }

    // MARK: - Operations

    /// What is under way and must not be overlapped.
    var operation: Operation? {
        let replacing = reachable.filter { machine in
            guard machine.isReplacing, case .progressing = machine.health(at: time, resource) else { return false }
            return true
        }
        if let first = replacing.first {
            let identities = replacing.map { release(running: digest(of: $0), on: $0).identities }
            let common = identities.dropFirst().reduce(identities.first ?? []) { $0.intersection($1) }
            let which = replacing.count == 1 ? "machine \(first.id) is" : "\(replacing.count) machines are"
            return Operation(
                summary: "\(which) being replaced", leadsTo: common.sorted { $0.description < $1.description })
        }
        for machine in reachable {
            guard let lease = machine.lease, lease.expires.map({ expires in time.map { $0 < expires } ?? true }) ?? true else { continue }
            let who = lease.description.hasPrefix(FlyMark.lease) ? "an update by Belay" : lease.owner
            return Operation(
                summary: "machine \(machine.id) is leased by \(who)\(lease.expires.map { " until \($0.wholeSecond)" } ?? "")", leadsTo: [])
        }
        return nil
    }

    /// Who made what is declared; nil when the ledger was not read or tells nothing.
    var cause: String? {
        guard let digest = declaredDigest, let machine = images.first?.machines.first else { return nil }
        if machine.isByBelay { return "Belay, which updated machine \(machine.id)" }
        let rows = releases.filter { self.digest(of: $0) == digest }
        guard let row = rows.first(where: { $0.version == machine.releaseVersion }) ?? rows.first else { return nil }
        return "release v\(row.version)\(row.user.map { " by \($0)" } ?? "")\(row.created.map { ", \($0.wholeSecond)" } ?? "")"
    }

    // MARK: - Notes

    var notes: [String] {
        var notes: [String] = []
        if isMixed { notes.append("machines run different images: \(mixture)") }
        for machine in machines where !machine.isReachable {
            notes.append("machine \(machine.id) is on a host that does not answer and is left alone")
        }
        let cordoned = machines.filter(\.isCordoned).map(\.id)
        if !cordoned.isEmpty { notes.append("cordoned, so without traffic: \(cordoned.joined(separator: ", "))") }
        if let newest = releases.first, !machines.contains(where: { $0.releaseVersion == newest.version }),
            digest(of: newest).map({ digest in !machines.contains { self.digest(of: $0) == digest } }) ?? true
        {
            notes.append("the newest release, v\(newest.version), is recorded as \(newest.status), and no machine runs it")
        }
        if let ledgerProblem {
            notes.append("the ledger of releases could not be read (\(ledgerProblem)): only what machines run is known")
        }
        if let image = question.image(in: repository) ?? namedRow?.image, case .found(let digest, _)? = manifests[image],
            let meant = question.resolvedDigest, !question.isResolved(digest), image.digest == nil
        {
            notes.append("\(image.tag ?? "the tag") names another image than when it was pinned (\(meant)); the pinned one is kept")
        }
        return notes
    }

    private var namedRow: FlyRelease? { releases.first { question.isNamed(version: $0.version, image: $0.image) } }
}
