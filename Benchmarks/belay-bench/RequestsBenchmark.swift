import CurlTransport
import FoundationEssentials
import HTTPCore
import Synchronization

/// Row 15: the requests of a list, as bare as the transport makes them.
struct RequestsBenchmark {
    private let requests: [HTTPRequest]
    private let workers: Int

    /// - Parameter path: of a file with a line `TOKEN URL` for each request.
    init(path: String, workers: Int) throws(BenchError) {
        guard let bytes = FileManager.default.contents(atPath: path) else { throw BenchError(1, "\(path) cannot be read") }
        requests = String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2 else { return nil }
            return HTTPRequest(.get, String(words[1]), headers: ["Authorization": "Bearer \(words[0])", "Accept": "application/json"])
        }
        self.workers = max(1, workers)
    }

    func measured() async throws(BenchError) {
        let course = Course(requests)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<workers { group.addTask { await course.work() } }
        }
        if let failure = course.failure { throw BenchError(1, failure) }
    }
}

/// The requests that are left, taken one by one by every worker.
private final class Course: Sendable {
    private let requests: [HTTPRequest]
    private let transport = CurlTransport()
    private let next = Atomic(0)
    private let failed = Mutex<String?>(nil)

    init(_ requests: [HTTPRequest]) { self.requests = requests }

    /// Of some request, in words.
    var failure: String? { failed.withLock { $0 } }

    func work() async {
        while true {
            let number = next.add(1, ordering: .relaxed).oldValue
            guard number < requests.count else { return }
            do throws(TransportError) {
                let response = try await transport.send(requests[number])
                if response.status != 200 { fail(requests[number], "status \(response.status)") }
            } catch {
                fail(requests[number], "\(error)")
            }
        }
    }

    private func fail(_ request: HTTPRequest, _ why: String) { failed.withLock { $0 = "\(request.url): \(why)" } }
}
