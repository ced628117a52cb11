/// An HTTP check: what must be answered, how often in a row, and within which time.
public struct Check: Sendable, Hashable, Codable {
    /// A scalar of a JSON document, compared by value: `1.0` equals `1`.
    public enum Scalar: Sendable, Hashable, Codable {
        case null
        case bool(Bool)
        case number(Double)
        case string(String)
    }

    public struct Expectation: Sendable, Hashable, Codable {
        /// Member names and array positions joined by dots: `checks.0.status`.
        public var path: String
        public var value: Scalar

        public init(path: String, value: Scalar) {
            self.path = path
            self.value = value
        }
    }

    public var url: String
    public var status: Int
    /// Text that the body must contain.
    public var body: String?
    /// What the body, read as JSON, must hold.
    public var json: [Expectation]
    /// How long after the first attempt the check may still come true.
    public var within: Duration
    /// How many successes in a row make it true.
    public var consecutive: Int
    /// The pause between two attempts.
    public var every: Duration

    public init(
        url: String, status: Int = 200, body: String? = nil, json: [Expectation] = [], within: Duration = .seconds(60),
        consecutive: Int = 1,
        every: Duration = .seconds(2)
    ) {
        self.url = url
        self.status = status
        self.body = body
        self.json = json
        self.within = within
        self.consecutive = consecutive
        self.every = every
    }
}
