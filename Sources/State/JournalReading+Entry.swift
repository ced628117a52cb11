import JSONValues
import Model

extension JournalEntry {
    /// - Parameter json: the entry's own part of a journal line.
    init(_ kind: Kind, journal json: JSON) throws(JournalMismatch) {
        switch kind {
        case .accepted: self = .accepted(try Acceptance(journal: json))
        case .opened: self = .opened(try Opened(journal: json))
        case .intent: self = .intent(try Intent(journal: json))
        case .receipt: self = .receipt(try Receipt(journal: json))
        case .reached: self = .reached(try Reached(journal: json))
        case .paid: self = .paid(try Payment(journal: json))
        case .closed: self = .closed(try Closing(journal: json))
        case .fence: self = .fence(try Fencing(journal: json))
        case .stop: self = .stop(try Stopping(journal: json))
        case .drift: self = .drift(try Drift(journal: json))
        case .flag: self = .flag(try FlagRecord(journal: json))
        case .forgotten: self = .forgotten(try Forgetting(journal: json))
        }
    }
}

extension JournalEntry.Acceptance {
    fileprivate init(journal json: JSON) throws(JournalMismatch) {
        self.init(
            revision: try json.member("revision"), resolutions: try json.member("resolutions"), releases: try json.member("releases"))
    }
}

extension JournalEntry.Opened {
    fileprivate init(journal json: JSON) throws(JournalMismatch) {
        self.init(
            transition: try json.member("transition"), resolutions: try json.member("resolutions"),
            supersedes: try json.optionalMember("supersedes"))
    }
}

extension JournalEntry.Receipt.Ending: JournalReadable {}

extension JournalEntry.Receipt {
    fileprivate init(journal json: JSON) throws(JournalMismatch) {
        self.init(
            intent: try json.member("intent"), resource: try json.member("resource"), ending: try json.member("ending"),
            facts: try json.member("facts"), configuration: try json.optionalMember("configuration") ?? [:],
            problem: try json.optionalMember("problem"))
    }
}

extension JournalEntry.Reached {
    fileprivate init(journal json: JSON) throws(JournalMismatch) {
        self.init(try json.member("resource"), try json.member("record"))
    }
}

extension JournalEntry.Payment {
    fileprivate init(journal json: JSON) throws(JournalMismatch) {
        self.init(transition: try json.member("transition"), try json.member("obligation"), releases: try json.member("releases"))
    }
}

extension JournalEntry.Fencing.Stage: JournalReadable {}

extension JournalEntry.Fencing {
    fileprivate init(journal json: JSON) throws(JournalMismatch) {
        self.init(try json.member("resource"), try json.member("stage"), try json.member("fence"))
    }
}

extension JournalEntry.Stopping.Stage: JournalReadable {}

extension JournalEntry.Stopping {
    fileprivate init(journal json: JSON) throws(JournalMismatch) {
        self.init(try json.member("resource"), try json.member("stage"), try json.member("stop"))
    }
}

extension JournalEntry.Closing {
    fileprivate init(journal json: JSON) throws(JournalMismatch) {
        self.init(transition: try json.member("transition"), releases: try json.member("releases"))
    }
}

extension JournalEntry.Forgetting {
    fileprivate init(journal json: JSON) throws(JournalMismatch) {
        self.init(try json.member("resource"), leavesFence: try json.member("leavesFence"))
    }
}
