public import Model

/// What a pin means among the releases that a provider lists.
public enum PinResolution: Sendable, Hashable {
    /// The one artifact that the pin denotes, and the label of the newest release of it.
    case resolved(ArtifactIdentity, label: String)
    /// The pin denotes several artifacts; these releases carry it.
    case ambiguous([Release])
    /// No release carries it.
    case missing
}

/// Returns what `pin` means among `candidates`.
///
/// A scalar is tried as deployment, revision, image and commit; the first kind with a match decides. Releases under one name are one artifact
/// when the name denotes the same identity for all of them. Allocates nothing unless the pin is ambiguous; linear in the number of names.
public func resolve(_ pin: Pin, among candidates: [Candidate]) -> PinResolution {
    let question = PinQuestion(pin)
    var found: (kind: ReleaseName.Kind, candidate: Int, name: Int)?
    var isAmbiguous = false
    // Buffers, because an array's elements would be copied, with a dozen reference counts for each candidate of each component.
    candidates.withUnsafeBufferPointer { candidates in
        for candidate in candidates.indices {
            candidates[candidate].release.names.withUnsafeBufferPointer { names in
                for name in names.indices where question.matches(names[name].kind, names[name].value) {
                    let kind = names[name].kind
                    guard let best = found, best.kind <= kind else {
                        found = (kind, candidate, name)
                        isAmbiguous = false
                        continue
                    }
                    guard best.kind == kind, !isAmbiguous else { continue }
                    isAmbiguous = candidates[best.candidate].release.names[best.name].denotes != names[name].denotes
                }
            }
        }
    }
    guard let found else { return .missing }
    guard !isAmbiguous else {
        return .ambiguous(
            candidates.map(\.release).filter { $0.names.contains { $0.kind == found.kind && question.matches($0.kind, $0.value) } })
    }
    let release = candidates[found.candidate].release
    return .resolved(release.names[found.name].denotes, label: release.label)
}

/// A pin in the form in which names are compared with it.
struct PinQuestion {
    /// Nil: any kind, in their order.
    private let kind: ReleaseName.Kind?
    private let text: String
    /// Lower case; nil when the pin cannot be a commit.
    private let commit: String?

    init(_ pin: Pin) {
        switch pin {
        case .name(let name): (kind, text) = (nil, name)
        case .commit(let commit): (kind, text) = (.commit, commit)
        case .image(let image): (kind, text) = (.image, image)
        case .revision(let revision): (kind, text) = (.revision, String(revision))
        case .deployment(let deployment): (kind, text) = (.deployment, deployment)
        }
        commit = kind == nil || kind == .commit ? Self.commitPrefix(text) : nil
    }

    func matches(_ kind: ReleaseName.Kind, _ value: String) -> Bool {
        if let wanted = self.kind, wanted != kind { return false }
        guard kind == .commit else { return value == text }
        guard let commit else { return false }
        return value.hasPrefix(commit)
    }

    /// True if one of the release's names matches and denotes that artifact.
    func isAnswered(by release: Release, with identity: ArtifactIdentity) -> Bool {
        release.names.withUnsafeBufferPointer { names in
            names.indices.contains { matches(names[$0].kind, names[$0].value) && names[$0].denotes == identity }
        }
    }

    /// The text as a commit's beginning: 7 to 64 hex digits, in lower case.
    private static func commitPrefix(_ text: String) -> String? {
        let digits = text.utf8
        guard (7...64).contains(digits.count) else { return nil }
        var hasUpperCase = false
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): continue
            case UInt8(ascii: "A")...UInt8(ascii: "F"): hasUpperCase = true
            default: return nil
            }
        }
        return hasUpperCase ? text.lowercased() : text
    }
}
