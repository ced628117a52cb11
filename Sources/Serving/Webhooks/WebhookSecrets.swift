import FoundationEssentials

/// What senders prove themselves with: from the environment, or from the file that a variable names.
public struct WebhookSecrets: Sendable {
    /// For every sender without a variable of its own.
    public static let variable = "BELAY_WEBHOOK_SECRET"
    /// In bytes: whatever is shorter can be guessed.
    static let shortest = 16

    private var given: [WebhookSender: Place] = [:]

    private enum Place: Sendable {
        case values([String])
        /// Read again for every request, so that a secret that is changed on the disk counts at once.
        case file(String)
    }

    /// Several secrets, separated by white space, are right each: while a new one is brought in.
    ///
    /// - Throws: for a secret that is too short, and for a file that cannot be read now.
    public init(_ variables: [String: String]) throws(ServingError) {
        for sender in WebhookSender.allCases {
            let names = [sender.variable, Self.variable].flatMap { [$0, "\($0)_FILE"] }
            guard let name = names.first(where: { !(variables[$0] ?? "").isEmpty }), let value = variables[name] else { continue }
            let place: Place = name.hasSuffix("_FILE") ? .file(value) : .values(Self.words(value))
            guard let secrets = Self.read(place) else {
                throw ServingError(.badSecret, "\(name): \(value) cannot be read; name a file that holds the secret")
            }
            guard secrets.allSatisfy({ $0.utf8.count >= Self.shortest }) else {
                throw ServingError(
                    .badSecret,
                    "\(name): a secret of under \(Self.shortest) characters can be guessed; make one with 'openssl rand -hex 32'")
            }
            given[sender] = place
        }
    }

    /// Every variable that may hold a secret itself.
    public static var variables: [String] { [variable] + WebhookSender.allCases.map(\.variable) }

    /// Empty where none is set.
    func secrets(of sender: WebhookSender) -> [String] {
        // A file that is just being replaced has none for a moment.
        given[sender].flatMap(Self.read)?.filter { $0.utf8.count >= Self.shortest } ?? []
    }

    private static func read(_ place: Place) -> [String]? {
        switch place {
        case .values(let values): values
        case .file(let path): FileManager.default.contents(atPath: path).map { words(String(decoding: $0, as: UTF8.self)) }
        }
    }

    private static func words(_ text: String) -> [String] { text.split(whereSeparator: \.isWhitespace).map(String.init) }
}
