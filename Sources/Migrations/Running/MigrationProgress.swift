internal import SQL

/// How far a script came that does not run in one transaction, as the journal tells it.
struct MigrationProgress: Sendable, Hashable {
    var isUp: Bool
    /// True if it takes back what was interrupted: each statement runs only where the catalogue shows that it is needed.
    var isUndo: Bool
    /// SHA-256 of all statements; nil before an undo has begun.
    var hash: String?
    /// Hashes of the statements that took effect, by index.
    var done: [Int: String] = [:]
    /// Statements that were sent and whose end is not known, with what was noted before.
    var begun: [Int: String] = [:]
    /// Statements of which somebody said that they are to be run, and which were not sent since.
    var retried: Set<Int> = []
    var stuck: Int?
    /// Somebody said that everything has taken effect.
    var isAllDone = false

    /// Reads the lines of one migration; nil where no script stands open.
    init?(_ entries: [MigrationJournalEntry]) {
        var open: MigrationProgress?
        for entry in entries {
            switch entry.event {
            case .intent where open?.isUndo == true && open?.isUp == entry.isUp && open?.hash == nil:
                open?.hash = entry.hash
            case .intent, .undo:
                open = MigrationProgress(isUp: entry.isUp, isUndo: entry.event == .undo, hash: entry.event == .undo ? nil : entry.hash)
            case .begun:
                if let index = entry.index {
                    open?.begun[index] = entry.message ?? ""
                    // Whoever said so meant this run.
                    open?.retried.remove(index)
                }
            case .statement:
                if let index = entry.index {
                    open?.done[index] = entry.hash ?? ""
                    open?.begun[index] = nil
                    if open?.stuck == index { open?.stuck = nil }
                } else {
                    open?.isAllDone = true
                    open?.stuck = nil
                }
            case .stuck: open?.stuck = entry.index ?? -1
            case .retry:
                if let index = entry.index {
                    open?.begun[index] = nil
                    open?.retried.insert(index)
                    open?.stuck = nil
                } else {
                    open = nil
                }
            case .applied, .reverted: open = nil
            case .failed: break
            }
        }
        guard let open else { return nil }
        self = open
    }

    private init(isUp: Bool, isUndo: Bool, hash: String?) {
        self.isUp = isUp
        self.isUndo = isUndo
        self.hash = hash
    }
}

/// What somebody says of an interrupted migration.
public enum Resolution: String, Sendable, Hashable, CaseIterable {
    /// The statement that it is stuck at has taken effect.
    case done
    /// It has not: it is to be run again.
    case retry
    /// What was done is to be taken back by the script of the other direction.
    case undo
}
