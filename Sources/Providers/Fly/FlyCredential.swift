import FoundationEssentials
import Model

/// A token in the forms that Fly.io's services take.
struct FlyCredential: Sendable {
    /// For the Machines API and GraphQL: macaroons have a scheme of their own, and are refused as bearer tokens.
    let scheme: String
    let value: Secret
    /// For the registry, whose user name does not matter.
    let basic: Secret
    /// Each token alone: an answer may repeat one of them.
    let parts: [Secret]

    /// - Parameter text: as `fly tokens create` prints it, with or without its scheme; several tokens are separated by commas.
    init?(_ text: String) {
        var rest = Substring(text).trimmed
        for scheme in ["FlyV1 ", "Bearer "] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count).trimmed }
        let tokens = rest.split(separator: ",").map { String($0.trimmed) }.filter { !$0.isEmpty }
        guard !tokens.isEmpty else { return nil }
        let macaroons = tokens.filter { token in ["fm1r_", "fm1a_", "fm2_"].contains { token.hasPrefix($0) } }
        scheme = macaroons.isEmpty ? "Bearer" : "FlyV1"
        let joined = (macaroons.isEmpty ? tokens : macaroons).joined(separator: ",")
        value = Secret(joined)
        basic = Secret(Data("x:\(joined)".utf8).base64EncodedString())
        parts = tokens.map { Secret($0) }
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var rest = self
        while rest.first?.isWhitespace == true { rest = rest.dropFirst() }
        while rest.last?.isWhitespace == true { rest = rest.dropLast() }
        return rest
    }
}
