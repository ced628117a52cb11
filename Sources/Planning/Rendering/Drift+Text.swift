public import Model

extension Drift {
    /// `component/api: v1.42.0 is live instead of v1.41.3: push of 9f2c1ab to main, 14:02`.
    public var sentence: String { "\(resource): \(words)" }

    /// The sentence without the resource.
    public var words: String {
        if resource.kind == .flag { return "\(found) instead of \(expected)" + (cause.map { ": \($0)" } ?? "") }
        return "\(found) is live instead of \(expected)" + (cause.map { ": \($0)" } ?? ", and nobody tells who did it")
    }
}
