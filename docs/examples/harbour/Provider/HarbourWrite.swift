import Model

/// One request that writes, as the text of a route's token or part. Holds no value of a variable.
enum HarbourWrite: Sendable, Hashable {
    case release(String)
    /// Sets a variable that had this version before; nil: that was not set.
    case set(key: String, before: Int?)
    case remove(key: String)

    var text: String {
        switch self {
        case .release(let id): "release \(id)"
        case .set(let key, let before): "set \(before.map(String.init) ?? "new") \(key)"
        case .remove(let key): "remove \(key)"
        }
    }

    init?(_ text: String) {
        let words = text.split(separator: " ", maxSplits: 2).map(String.init)
        switch (words.first, words.count) {
        case ("release", 2): self = .release(words[1])
        case ("set", 3): self = .set(key: words[2], before: Int(words[1]))
        case ("remove", 2): self = .remove(key: words[1])
        default: return nil
        }
    }
}

extension Route {
    /// What is sent now; nil for what another version of Belay may have written down.
    var write: HarbourWrite? { HarbourWrite(part ?? token) }
}
