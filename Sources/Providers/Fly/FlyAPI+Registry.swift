import HTTPCore
import JSONValues
import Model
import ProviderKit

/// What the registry says of an image.
enum FlyManifest: Sendable, Hashable {
    /// - Parameters:
    ///   - digest: what machines are told.
    ///   - others: further digests of the same image: of the index that holds it, and of what the index holds.
    case found(digest: String, others: [String])
    case gone
    /// It could not be asked, or answered nonsense.
    case unknown(String)
}

extension FlyAPI {
    private static let types = [
        "application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
    ].joined(separator: ", ")

    /// Asks for an image of the app's own registry by its digest, or by its tag. One request; for an index one more.
    func manifest(_ image: FlyImage) async -> FlyManifest {
        guard let path = image.path(in: registryName), let reference = image.digest ?? image.tag else {
            return .unknown("it is not in \(registryName)")
        }
        let url =
            "/v2/\(path.split(separator: "/").map { String($0).percentEncoded }.joined(separator: "/"))/manifests/"
            + reference.percentEncoded.replacing("%3A", with: ":")
        let accept: HTTPHeaders = ["Accept": Self.types]
        let purpose = "looking for image \(image.description)"
        do throws(APIError) {
            let head = try await exchange(connection.registry, .head, url, [], nil, accept, while: purpose)
            guard let digest = head.headers["Docker-Content-Digest"] ?? image.digest else { return .unknown("it names no digest") }
            let type = head.headers["Content-Type"] ?? ""
            guard type.contains("index") || type.contains("manifest.list") else { return .found(digest: digest, others: []) }
            let index = try await exchange(connection.registry, .get, url, [], nil, accept, while: purpose)
            let entries = (index.body?["manifests"]?.elements ?? []).filter { $0["platform"]?["os"]?.string != "unknown" }
            // Machines are amd64: of an index they report that manifest.
            let own = entries.first { $0["platform"]?["architecture"]?.string == "amd64" && $0["platform"]?["os"]?.string == "linux" }
            let members = entries.compactMap { $0["digest"]?.string }
            let chosen = own?["digest"]?.string ?? digest
            return .found(digest: chosen, others: ([digest] + members).filter { $0 != chosen })
        } catch {
            return await absence(error, url, accept, purpose)
        }
    }

    /// An answer to HEAD has no body: what a 404 means is asked for once more.
    private func absence(_ error: APIError, _ url: String, _ accept: HTTPHeaders, _ purpose: String) async -> FlyManifest {
        guard error.code == .notFound else { return .unknown(error.status.map { "\($0)" } ?? "no answer") }
        do throws(APIError) {
            _ = try await exchange(connection.registry, .get, url, [], nil, accept, while: purpose)
            return .unknown("it is there and is not")
        } catch {
            let isAbsent = error.code == .notFound && error.body?["errors"]?.elements.isEmpty == false
            return isAbsent ? .gone : .unknown(error.status.map { "\($0)" } ?? "no answer")
        }
    }
}
