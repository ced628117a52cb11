import CurlTransport
import HTTPCore

extension CurlTransport {
    static func make(connectionsPerHost: Int = 32) -> CurlTransport {
        Surroundings.set()
        return CurlTransport(configuration: Configuration(userAgent: "belay-tests", connectionsPerHost: connectionsPerHost))
    }

    /// The response or the error, as a value.
    func result(_ request: HTTPRequest) async -> Result<HTTPResponse, TransportError> {
        do throws(TransportError) { return .success(try await send(request)) } catch { return .failure(error) }
    }

    func failure(_ request: HTTPRequest) async -> TransportError? {
        guard case .failure(let error) = await result(request) else { return nil }
        return error
    }
}

extension HTTPRequest {
    static func make(
        _ url: String, headers: HTTPHeaders = [:], deadline: Duration = .seconds(20), connectDeadline: Duration = .seconds(20),
        bodyLimit: Int = 1 << 20, tls: TLSSettings? = nil
    ) -> HTTPRequest {
        make(.get, url, headers: headers, deadline: deadline, connectDeadline: connectDeadline, bodyLimit: bodyLimit, tls: tls)
    }

    static func make(
        _ method: HTTPMethod, _ url: String, headers: HTTPHeaders = [:], body: String = "", deadline: Duration = .seconds(20),
        connectDeadline: Duration = .seconds(20), bodyLimit: Int = 1 << 20, tls: TLSSettings? = nil
    ) -> HTTPRequest {
        HTTPRequest(
            method, url, headers: headers, body: Array(body.utf8), connectDeadline: connectDeadline, deadline: deadline,
            bodyLimit: bodyLimit, tls: tls)
    }
}

extension AsyncStream where Element: Sendable {
    /// The first elements; fewer if the stream ends.
    func first(_ count: Int) async -> [Element] {
        var result: [Element] = []
        for await element in self {
            result.append(element)
            if result.count == count { break }
        }
        return result
    }
}
