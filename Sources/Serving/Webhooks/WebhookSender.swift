/// Who sends webhooks, each in a way of its own.
public enum WebhookSender: String, Sendable, CaseIterable {
    case github, gitlab, gitea, generic, vercel, render

    /// By the last part of a path. Forgejo sends what Gitea sends.
    init?(path: String) { self.init(rawValue: path == "forgejo" ? "gitea" : path) }

    /// For people.
    static var paths: String { allCases.map { "/webhooks/\($0.rawValue)" }.joined(separator: " ") }

    /// The environment variable with its secrets.
    public var variable: String { "\(WebhookSecrets.variable)_\(rawValue.uppercased())" }
}
