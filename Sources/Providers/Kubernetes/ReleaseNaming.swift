import JSONValues
import Model
import ProviderKit

/// Releases as the planner knows them, from revisions and images.
struct ReleaseNaming: Sendable {
    var container: String
    /// The commit that the pin gives, if it is one: a tag's short commit stands for it.
    var pinnedCommit: String?

    init(container: String, pin: Pin) {
        self.container = container
        switch pin {
        case .commit(let text), .name(let text): pinnedCommit = CommitReading.commit(text.lowercased())
        case .image, .revision, .deployment: pinnedCommit = nil
        }
    }

    /// A release that is in the history.
    func release(_ revision: WorkloadRevision) -> Release {
        let numbers = ([revision.number] + revision.formerNumbers.reversed()).filter { $0 > 0 }
        var names = numbers.map { ReleaseName(.revision, String($0), denotes: revision.identity) }
        let image = revision.template.image(of: container)
        if let image { names += self.names(image, revision.template) }
        return Release(
            label: "\(image?.label ?? "no container \(container)") (revision \(revision.number))", names: names, created: revision.created,
            note: revision.note)
    }

    /// The release that a workload declares, as far as the workload alone tells of it.
    func release(of workload: WorkloadSnapshot) -> Release {
        let names = names(workload.image, workload.template)
        guard let number = workload.revisionNumber else { return Release(label: workload.image.label, names: names) }
        // Without the history nobody can tell whether the change cause is this release's or that of the one before.
        return Release(label: "\(workload.image.label) (revision \(number))", names: names)
    }

    /// A release that no revision is known of: just declared, or never run here.
    func release(_ image: ImageReference, _ template: PodTemplate? = nil, remark: String) -> Release {
        Release(label: "\(image.label) (\(remark))", names: names(image, template))
    }

    private func names(_ image: ImageReference, _ template: PodTemplate?) -> [ReleaseName] {
        let identity = ArtifactIdentity(.image, image.description)
        var names = image.names.map { ReleaseName(.image, $0, denotes: identity) }
        for commit in commits(image, template) { names.append(ReleaseName(.commit, commit, denotes: identity)) }
        return names
    }

    /// Commits that the template's annotations and labels tell, or else its tag.
    private func commits(_ image: ImageReference, _ template: PodTemplate?) -> [String] {
        let metadata = template?.json["metadata"]
        var found =
            CommitReading.keys.lazy.compactMap { key in
                (metadata?["annotations"]?[key]?.string ?? metadata?["labels"]?[key]?.string).flatMap {
                    CommitReading.commit($0.lowercased())
                }
            }.first.map { [$0] } ?? []
        if found.isEmpty, let commit = image.tag.flatMap({ CommitReading.commit(ofTag: $0) }) { found = [commit] }
        // A pin may give more digits than the tag does.
        if let pinnedCommit, let short = found.first, pinnedCommit.count > short.count, pinnedCommit.hasPrefix(short) {
            found.append(pinnedCommit)
        }
        return found
    }
}

extension Release {
    /// True if a pin may mean this release, by whatever kind of name.
    func isNamed(by pin: Pin) -> Bool {
        names.contains { name in
            switch pin {
            case .name(let text):
                name.value == text || (name.kind == .commit && CommitReading.commit(text.lowercased()).map(name.value.hasPrefix) ?? false)
            case .commit(let text): name.kind == .commit && name.value.hasPrefix(text.lowercased())
            case .image(let text): name.kind == .image && name.value == text
            case .revision(let number): name.kind == .revision && name.value == String(number)
            case .deployment(let text): name.kind == .deployment && name.value == text
            }
        }
    }
}
