public import HTTPCore
import Synchronization

/// A transport that counts and times what goes through it.
public struct MeteredTransport: Transport {
    private let inner: any Transport
    private let provider: String
    private let metrics: MetricRegistry
    private let rates: RateLimits

    /// - Parameter provider: the label of its series.
    public init(_ inner: any Transport, as provider: String, in metrics: MetricRegistry, rates: RateLimits) {
        self.inner = inner
        self.provider = provider
        self.metrics = metrics
        self.rates = rates
    }

    public func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let start = ContinuousClock.now
        do throws(TransportError) {
            let response = try await inner.send(request)
            count(request, response.status, response.headers, since: start)
            return response
        } catch {
            count(request, error)
            throw error
        }
    }

    /// Counted and timed when the head is there.
    public func stream(_ request: HTTPRequest) async throws(TransportError) -> HTTPStream {
        let start = ContinuousClock.now
        do throws(TransportError) {
            let stream = try await inner.stream(request)
            count(request, stream.status, stream.headers, since: start)
            return stream
        } catch {
            count(request, error)
            throw error
        }
    }

    private func count(_ request: HTTPRequest, _ status: Int, _ headers: HTTPHeaders, since start: ContinuousClock.Instant) {
        let code = (100...599).contains(status) ? String(status) : "other"
        metrics.add(to: .requests, provider, request.method.rawValue, code)
        metrics.observe(ContinuousClock.now - start, in: .requestDuration, provider)
        rates.note(headers, of: request.method, from: provider)
    }

    private func count(_ request: HTTPRequest, _ error: TransportError) {
        metrics.add(to: .requests, provider, request.method.rawValue, error.code.rawValue)
    }
}
