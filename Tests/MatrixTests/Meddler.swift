import HTTPCore
import Synchronization

/// A transport in front of another one, at which somebody else may act just before a request or just after its answer.
final class Meddler: Transport {
    enum Moment: Sendable { case before, after }

    private struct Deed: Sendable {
        var method: HTTPMethod
        var path: String
        var moment: Moment
        /// How many such requests pass by before.
        var skip: Int
        var act: @Sendable () async -> Void
    }

    private let inner: any Transport
    private let deeds = Mutex<[Deed]>([])

    init(_ inner: any Transport) { self.inner = inner }

    /// Acts once, at one of the requests whose URL holds the text.
    func act(_ moment: Moment, _ method: HTTPMethod, _ path: String, skip: Int = 0, _ act: @escaping @Sendable () async -> Void) {
        deeds.withLock { $0.append(Deed(method: method, path: path, moment: moment, skip: skip, act: act)) }
    }

    /// True if everything that was arranged has happened.
    var isDone: Bool { deeds.withLock { $0.isEmpty } }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        for deed in take(.before, request) { await deed.act() }
        let answer: Result<HTTPResponse, TransportError>
        do throws(TransportError) { answer = .success(try await inner.send(request)) } catch { answer = .failure(error) }
        for deed in take(.after, request) { await deed.act() }
        return try answer.get()
    }

    func stream(_ request: HTTPRequest) async throws(TransportError) -> HTTPStream { try await inner.stream(request) }

    private func take(_ moment: Moment, _ request: HTTPRequest) -> [Deed] {
        deeds.withLock { deeds in
            var due: [Deed] = []
            var left: [Deed] = []
            for deed in deeds {
                guard deed.moment == moment, deed.method == request.method, request.url.contains(deed.path) else {
                    left.append(deed)
                    continue
                }
                guard deed.skip == 0 else {
                    var later = deed
                    later.skip -= 1
                    left.append(later)
                    continue
                }
                due.append(deed)
            }
            deeds = left
            return due
        }
    }
}
