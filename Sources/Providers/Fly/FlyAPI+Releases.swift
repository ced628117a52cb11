import HTTPCore
import JSONValues
import Model
import ProviderKit

/// A row of the ledger: what somebody meant to run. What runs, machines tell.
struct FlyRelease: Sendable, Hashable {
    var id: String
    var version: Int
    /// Written by whoever deployed, and never again if that broke off.
    var status: String
    var image: FlyImage?
    var user: String?
    var created: Timestamp?
    var note: String?
}

extension FlyAPI {
    /// The newest rows of the ledger, in the order of their versions, the highest first. By REST, or by GraphQL where that fails.
    ///
    /// - Throws: what the second door said.
    func releases(_ limit: Int) async throws(APIError) -> [FlyRelease] {
        do throws(APIError) {
            let purpose = "listing releases"
            let answer = try await exchange(
                connection.ledger, .get, "/api/v1/apps/\(app.percentEncoded)/releases", [("limit", String(limit))], while: purpose)
            guard let rows = answer.body?["releases"]?.array else { throw APIError(missing: "list of releases", purpose: purpose) }
            return rows.compactMap { FlyRelease($0) }.newestFirst
        } catch {
            return try await releasesByGraphQL(limit)
        }
    }

    private static let query =
        "query($appName: String!, $limit: Int!) { app(name: $appName) { releases: releasesUnprocessed(first: $limit) { nodes { "
        + "id version description reason status imageRef stable user { id email name } createdAt } } } }"

    private func releasesByGraphQL(_ limit: Int) async throws(APIError) -> [FlyRelease] {
        let purpose = "asking for releases"
        let answer = try await exchange(
            connection.graphQL, .post, "/graphql", [],
            ["query": .string(Self.query), "variables": ["appName": .string(app), "limit": .integer(limit)]], while: purpose)
        // Failures are answers like any other.
        guard answer.body?["errors"] == nil, let rows = answer.body?["data"]?["app"]?["releases"]?["nodes"]?.array else {
            throw APIError(missing: "list of releases", purpose: purpose)
        }
        return rows.compactMap { FlyRelease($0) }.newestFirst
    }
}

extension FlyRelease {
    /// A row of either door; nil without an id and a version.
    init?(_ json: JSON) {
        guard let id = json["id"]?.string, let version = json["version"]?.integer else { return nil }
        self.id = id
        self.version = version
        status = json["status"]?.string ?? "unknown"
        image = FlyImage(json["image_ref"]?.string ?? json["imageRef"]?.string)
        user = json["user"]?.string ?? json["user"]?["email"]?.string ?? json["user"]?["name"]?.string
        created = (json["created_at"] ?? json["createdAt"])?.string.flatMap { Timestamp($0) }
        note = json["description"]?.string
    }
}

extension [FlyRelease] {
    /// Their order is not promised.
    fileprivate var newestFirst: [FlyRelease] { sorted { ($0.version, $0.id) > ($1.version, $1.id) } }
}
