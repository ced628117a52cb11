import Model
import ProviderKit

/// Which deployments an observation has to find: those that the pin may name, and those that it was found to mean before.
struct VercelQuestion: Sendable {
    /// Deployment ids.
    var ids: [String] = []
    /// Host names of deployments.
    var hosts: [String] = []
    /// Commits, whole or their first digits, in lower case.
    var commits: [String] = []
    let resolution: Resolution?
    /// What the pin names, where Vercel has nothing of the kind: `image v1`. Nil for a history, which tells what there is.
    private(set) var alien: (name: ReleaseName, words: String)?

    init(_ request: ObservationRequest) {
        // What another pin meant before says nothing of this one.
        resolution = request.resolution.flatMap { $0.pin == request.pin ? $0 : nil }
        switch request.pin {
        case .name(let text), .deployment(let text):
            if text.hasPrefix("dpl_") {
                ids.append(text)
            } else if let host = Self.host(text) {
                hosts.append(host)
            } else if case .name = request.pin {
                add(commit: text)
            }
        case .commit(let text): add(commit: text)
        case .image(let text):
            alien = (ReleaseName(.image, text, denotes: ArtifactIdentity(.image, text)), "images")
        case .revision(let number):
            alien = (ReleaseName(.revision, String(number), denotes: ArtifactIdentity(.template, String(number))), "revisions")
        }
        if request.depth == .history { alien = nil }
        for identity in (resolution?.lineage ?? []) + (resolution.map { [$0.identity] } ?? []) {
            switch identity.kind {
            case .deployment where !ids.contains(identity.value): ids.append(identity.value)
            case .commit where !commits.contains(where: identity.value.hasPrefix): add(commit: identity.value)
            default: break
            }
        }
    }

    /// True if the release is what is asked for.
    func isMet(by deployment: VercelDeployment) -> Bool {
        if let resolution { return deployment.release.matches(resolution) }
        return isNamed(deployment) || [deployment.source, deployment.parent].contains { $0.map(ids.contains) == true }
    }

    /// True if nothing else has to be found to know what the pin means and that it is in place.
    func isAnswered(by production: VercelDeployment) -> Bool {
        resolution.map(production.release.matches) ?? isNamed(production)
    }

    /// True if one of the names is the deployment's own.
    func isNamed(_ deployment: VercelDeployment) -> Bool {
        ids.contains(deployment.id) || deployment.url.map(hosts.contains) == true
            || commits.contains { deployment.commit?.hasPrefix($0) == true }
    }

    private mutating func add(commit text: String) {
        guard (7...64).contains(text.utf8.count), text.utf8.allSatisfy(\.isHexDigit) else { return }
        commits.append(text.lowercased())
    }

    /// `podcast-web-3f2c1ab.vercel.app` of a host name or of a URL.
    private static func host(_ text: String) -> String? {
        var rest = Substring(text)
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        let host = rest.prefix { $0 != "/" }
        return host.contains(".") && !host.contains(" ") ? String(host).lowercased() : nil
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool { (0x30...0x39).contains(self) || (0x41...0x46).contains(self) || (0x61...0x66).contains(self) }
}
