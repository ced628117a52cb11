import JSONValues
import Model
import ProviderKit

/// One deployment as the API tells of it. Details, list items and the summaries within a project differ; everything but the id may be missing.
struct VercelDeployment: Sendable, Hashable {
    /// Where a deployment stands between its creation and its domains.
    enum Stage: Hashable {
        /// Not built yet; the vendor's word for it, in lower case.
        case building(String)
        case ready
        /// It ended without an artifact; why.
        case failed(String)
        /// It waits for a person; why.
        case blocked(String)
        case deleted
        /// A word that is not known: not ready, and perhaps not at its end.
        case other(String)
    }

    var id: String
    var url: String?
    var created: Timestamp?
    var isProduction: Bool
    var stage: Stage
    /// Has seen production traffic; says nothing of now.
    var hasServed: Bool
    /// `pending`, `failed` or nil: the checks that guard the domains.
    var checks: String?
    var aliasProblem: String?
    var readyAt: Timestamp?
    var commit: String?
    /// The first line of the commit's message, at most 100 characters of it.
    var message: String?
    var branch: String?
    /// Who wrote the commit.
    var author: String?
    /// Whose token or session made it.
    var creator: String?
    /// How it was made, in the vendor's words; a hint only.
    var means: String?
    /// True if it was built from files that differ from its commit.
    var isDirty: Bool
    var plan: String?
    var meta: [String: String]

    /// Nil when it has no id.
    init?(_ json: JSON?, isProduction known: Bool? = nil) {
        guard let json, let id = json["id"]?.string ?? json["uid"]?.string, !id.isEmpty else { return nil }
        self.id = id
        url = json["url"]?.string
        created = (json["createdAt"] ?? json["created"])?.timestamp
        isProduction = known ?? (json["target"]?.string == "production")
        readyAt = (json["ready"] ?? json["readyAt"])?.timestamp
        plan = json["plan"]?.string
        meta = Dictionary(
            (json["meta"]?.object?.members ?? []).compactMap { member in member.value.string.map { (member.key, $0) } }
        ) { first, _ in first }
        let hosts = ["github", "gitlab", "bitbucket", "git"]
        let meta = meta
        func git(_ suffix: String) -> String? {
            meta.isEmpty ? nil : hosts.lazy.compactMap { meta[$0 + suffix] }.first { !$0.isEmpty }
        }
        commit = (git("CommitSha") ?? json["gitSource"]?["sha"]?.string)?.lowercased()
        message = git("CommitMessage").map { String($0.prefix(100).prefix { !$0.isNewline }) }
        author = (git("CommitAuthorLogin") ?? git("CommitAuthorName")).map { String($0.prefix(100)) }
        creator = (json["creator"]?["username"] ?? json["creator"]?["email"])?.string
        means = json["source"]?.string
        isDirty = meta["gitDirty"] == "1" || meta["gitDirty"] == "true"
        branch = git("CommitRef") ?? json["gitSource"]?["ref"]?.string
        stage = Self.stage(json)
        hasServed = json["readySubstate"]?.string == "PROMOTED" || json["isRollbackCandidate"]?.bool == true
        checks = Self.checks(json)
        aliasProblem = json["aliasError"].map { $0["message"]?.string ?? $0["code"]?.string ?? "the domains could not be assigned" }
    }

    private static func stage(_ json: JSON) -> Stage {
        let word = json["readyState"]?.string ?? json["state"]?.string ?? json["status"]?.string ?? "UNKNOWN"
        switch word {
        case "READY": return json["deleted"] != nil ? .deleted : .ready
        case "QUEUED", "INITIALIZING", "BUILDING": return .building(word.lowercased())
        case "CANCELED": return .failed("it was canceled")
        case "BLOCKED":
            return switch json["seatBlock"]?["blockCode"]?.string {
            case "COMMIT_AUTHOR_REQUIRED": .blocked("the commit's author is not a verified member of the team")
            case "TEAM_ACCESS_REQUIRED": .blocked("the commit's author has no access to the team")
            case let code: .blocked(code ?? "Vercel does not say why")
            }
        case "DELETED": return .deleted
        case _ where word == "ERROR" || word.hasSuffix("_ERROR"):
            return .failed(json["errorMessage"]?.string ?? json["errorCode"]?.string ?? "the build failed")
        default: return .other(word)
        }
    }

    private static func checks(_ json: JSON) -> String? {
        switch json["checks"]?["deployment-alias"]?["state"]?.string {
        case "failed": return "failed"
        case "pending": return "pending"
        default: break
        }
        switch (json["checksState"]?.string, json["checksConclusion"]?.string) {
        case ("completed", "failed"), ("completed", "canceled"): return "failed"
        case ("registered", _), ("running", _): return "pending"
        default: return nil
        }
    }
}

extension VercelDeployment {
    /// What a deployment of ours goes back to: a deployment, or nothing.
    var source: String? { meta[VercelMark.source] }
    /// What it was built from, when that is a build of ours itself.
    var parent: String? { meta[VercelMark.parent] }
    /// The deployment that this one is a new build of, or itself.
    var root: String { source ?? id }
    /// The intent that made it.
    var intent: String? { meta[VercelMark.intent] }

    var release: Release {
        var names = [ReleaseName(.deployment, id, denotes: identity)]
        if let url {
            names.append(ReleaseName(.deployment, url, denotes: identity))
            names.append(ReleaseName(.deployment, "https://\(url)", denotes: identity))
        }
        if let commit { names.append(ReleaseName(.commit, commit, denotes: ArtifactIdentity(.commit, commit))) }
        return Release(
            label: commit.map { "\(id) (\($0.prefix(7)))" } ?? id, names: names,
            lineage: [source, parent].compactMap(\.self).map { ArtifactIdentity(.deployment, $0) }, created: created, note: message)
    }

    private var identity: ArtifactIdentity { ArtifactIdentity(.deployment, id) }

    /// What two answers tell together: the summaries within a project lack most of what the other answers hold.
    func merged(with other: VercelDeployment) -> VercelDeployment {
        var merged = other
        merged.url = other.url ?? url
        merged.created = other.created ?? created
        merged.commit = other.commit ?? commit
        merged.message = other.message ?? message
        merged.branch = other.branch ?? branch
        merged.author = other.author ?? author
        merged.creator = other.creator ?? creator
        merged.means = other.means ?? means
        merged.isDirty = other.isDirty || isDirty
        merged.plan = other.plan ?? plan
        merged.readyAt = other.readyAt ?? readyAt
        merged.checks = other.checks ?? checks
        merged.aliasProblem = other.aliasProblem ?? aliasProblem
        merged.hasServed = other.hasServed || hasServed
        merged.isProduction = other.isProduction || isProduction
        merged.meta.merge(meta) { first, _ in first }
        if case .other = other.stage { merged.stage = stage }
        return merged
    }
}

/// What Belay writes into a deployment that it makes, and finds it again by.
enum VercelMark {
    static let intent = "belay-intent"
    static let source = "belay-source"
    static let parent = "belay-parent"
    static let revision = "belay-revision"
    /// In the project itself, as who switched its automation.
    static let actor = "belay"
}

extension JSON {
    /// Milliseconds since 1970 as a number.
    var timestamp: Timestamp? {
        guard let value = double, value.isFinite, abs(value) < 1e16 else { return nil }
        return Timestamp(millisecondsSinceEpoch: Int64(value))
    }
}
