import JSONValues
import Model

extension Timestamp: JournalReadable {}
extension ResourceID: JournalReadable {}
extension ArtifactIdentity.Kind: JournalReadable {}
extension Revision.Kind: JournalReadable {}
extension ReleaseRecord.Quality: JournalReadable {}
extension Direction: JournalReadable {}
extension Verb: JournalReadable {}
extension StepClass: JournalReadable {}

extension ArtifactIdentity: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) { self.init(try json.member("kind"), try json.member("value")) }
}

extension Revision: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(
            try json.member("kind"), try json.member("id"), isDirty: try json.member("isDirty"),
            committed: try json.optionalMember("committed"))
    }
}

extension Pin: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        if case .string(let name) = json {
            self = .name(name)
        } else if let commit: String = try json.optionalMember("commit") {
            self = .commit(commit)
        } else if let image: String = try json.optionalMember("image") {
            self = .image(image)
        } else if let revision: Int = try json.optionalMember("revision") {
            self = .revision(revision)
        } else {
            self = .deployment(try json.member("deployment"))
        }
    }
}

extension Resolution: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(
            pin: try json.member("pin"), identity: try json.member("identity"), lineage: try json.member("lineage"),
            label: try json.member("label"), revision: try json.member("revision"), scope: try json.optionalMember("scope"))
    }
}

extension VersionWindow: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(lowest: try json.optionalMember("lowest"), highest: try json.optionalMember("highest"))
    }
}

extension ReleaseRecord: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(
            resolution: try json.member("resolution"), quality: try json.member("quality"), requires: try json.member("requires"),
            schemas: try json.member("schemas"), configuration: try json.optionalMember("configuration"),
            deployment: try json.optionalMember("deployment"), reached: try json.member("reached"))
    }
}

extension ConfigurationEntry: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(
            fingerprint: try json.optionalMember("fingerprint"), marker: try json.optionalMember("marker"),
            sealed: try json.optionalMember("sealed"), ran: try json.optionalMember("ran"))
    }
}

extension Fence: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(
            name: try json.member("name"), previous: try json.member("previous"), set: try json.member("set"),
            target: try json.member("target"), provider: try json.member("provider"))
    }
}

extension Stop: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(
            memory: try json.member("memory"), means: try json.member("means"), target: try json.member("target"),
            provider: try json.member("provider"))
    }
}

extension Drift: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(
            resource: try json.member("resource"), expected: try json.member("expected"), found: try json.member("found"),
            identity: try json.member("identity"), cause: try json.optionalMember("cause"))
    }
}

extension Obligation: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        if let check = json["check"] {
            self = .check(try check.member("_0"))
        } else {
            guard json["systemChecks"] != nil else { throw JournalMismatch() }
            self = .systemChecks
        }
    }
}

extension Transition: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(
            id: try json.member("id"), revision: try json.member("revision"), start: try json.member("start"),
            target: try json.member("target"), directions: try json.member("directions"), obligations: try json.member("obligations"),
            approved: try json.optionalMember("approved"), pinned: try json.optionalMember("pinned") ?? [:],
            opened: try json.member("opened"))
    }
}

extension PinnedRelease: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(resolution: try json.member("resolution"), requires: try json.member("requires"))
    }
}

extension Problem: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(
            try json.member("reason"), try json.member("message"), next: try json.optionalMember("next"),
            retryAfter: try json.optionalMember("retryAfter"))
    }
}

extension Route: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(
            try json.member("verb"), means: try json.member("means"), class: try json.member("class"), token: try json.member("token"),
            part: try json.optionalMember("part"), key: try json.optionalMember("key"),
            isIdempotent: try json.member("isIdempotent"), cautions: try json.member("cautions"),
            refusal: try json.optionalMember("refusal"))
    }
}

extension Intent: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(
            id: try json.member("id"), resource: try json.member("resource"), route: try json.member("route"),
            resolution: try json.member("resolution"), fingerprint: try json.optionalMember("fingerprint"),
            providerTime: try json.optionalMember("providerTime"),
            written: try json.member("written"))
    }
}

extension FlagSetting: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(isOn: try json.member("isOn"), rollout: try json.optionalMember("rollout"), variant: try json.optionalMember("variant"))
    }
}

extension FlagGuard: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(
            component: try json.optionalMember("component"), release: try json.optionalMember("release"),
            database: try json.optionalMember("database"), schema: try json.optionalMember("schema"))
    }
}

extension FeatureFlag: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(
            name: try json.member("name"), setting: try json.member("setting"), kill: try json.optionalMember("kill"),
            guard: try json.optionalMember("guard"))
    }
}

extension FlagRecord: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(flag: try json.member("flag"), setting: try json.member("setting"), reason: try json.optionalMember("reason"))
    }
}

extension Approval.Item: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(
            database: try json.member("database"), version: try json.member("version"), isUp: try json.member("isUp"),
            hash: try json.member("hash"), occasion: try json.member("occasion"))
    }
}

extension Approval: JournalReadable {
    init(journal json: JSON) throws(JournalMismatch) {
        self.init(items: try json.member("items"), rows: try json.optionalMember("rows"), digest: try json.member("digest"))
    }
}
