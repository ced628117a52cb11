package import HTTPCore
import Synchronization

/// Answers by the number of the request, counted from 1.
package final class FakeTransport: Transport {
    private let count = Mutex(0)
    private let answer: @Sendable (Int) -> Result<HTTPResponse, TransportError>

    package init(_ answer: @escaping @Sendable (Int) -> Result<HTTPResponse, TransportError> = { _ in .success(HTTPResponse(status: 200)) })
    {
        self.answer = answer
    }

    package static func status(_ status: Int) -> FakeTransport { FakeTransport { _ in .success(HTTPResponse(status: status)) } }

    package var requests: Int { count.withLock { $0 } }

    package func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let number = count.withLock { count in
            count += 1
            return count
        }
        return try answer(number).get()
    }

    package func stream(_ request: HTTPRequest) async throws(TransportError) -> HTTPStream {
        throw TransportError(.badURL, "checks do not stream", mayHaveTakenEffect: false)
    }
}
