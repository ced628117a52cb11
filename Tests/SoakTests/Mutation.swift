import State

/// Something that is done wrong on purpose: a soak must see each of them, or it proves nothing.
enum Mutation: Sendable, CaseIterable {
    /// The transport sends every write twice.
    case sendsTwice
    /// What became of a write is not written down.
    case forgetsReceipts
    /// No write is announced.
    case forgetsIntents
    /// A write that took effect is recorded as one that had none.
    case deniesEffects
    /// Two work at the same time: the lock of one does not keep the other out, and neither sees what the other has written down.
    case isUnfenced
    /// Writes are answered, and never sent.
    case losesWrites
    /// What is in place is written again and again, which changes nothing.
    case fidgets
    case leaksDescriptors
    /// Tasks that sleep for ever.
    case leaksSleepers
    /// Tasks that wait for ever, and not for a time.
    case leaksTasks
    case leaksMemory
}

extension Mutation {
    /// What is written down; nil for nothing.
    func entry(instead entry: JournalEntry) -> JournalEntry? {
        switch (self, entry) {
        case (.forgetsReceipts, .receipt), (.forgetsIntents, .intent): return nil
        case (.deniesEffects, .receipt(var receipt)) where receipt.ending == .tookEffect:
            receipt.ending = .void
            return .receipt(receipt)
        default: return entry
        }
    }
}
