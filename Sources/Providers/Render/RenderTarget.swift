public import Model

/// A service on Render.
public struct RenderTarget: Target, Hashable {
    public static let provider = "render"
    /// Its id (`srv-…`, of a cron job `crn-…`), or a name that only one service of the key's workspaces has.
    public var service: String

    public init(service: String) { self.service = service }

    public var identity: String { service }

    /// True if ``service`` is an id.
    var isID: Bool { service.hasPrefix("srv-") || service.hasPrefix("crn-") }
}
