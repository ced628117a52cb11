public import Model

/// A Vercel project.
public struct VercelTarget: Target, Hashable {
    public static let provider = "vercel"
    /// The project's name or id.
    public var project: String
    /// The team's slug, or its id (`team_…`); nil for the token's own account.
    public var team: String?

    public init(project: String, team: String? = nil) {
        self.project = project
        self.team = team
    }

    public var identity: String { team.map { "\($0)/\(project)" } ?? project }
}
