import HTTPCore
import JSONValues
import Simulators
import Synchronization

/// Keeps every exchange with another simulator, bodies included.
final class RecordingSimulator: Simulator {
    let inner: any Simulator
    private let log = Mutex<[JSON]>([])

    init(_ inner: any Simulator) { self.inner = inner }

    var name: String { inner.name }

    var world: JSON { get async { await inner.world } }

    /// One object a line, as Tests/Support/validate-openapi.py reads them.
    var lines: String { log.withLock { $0.map(\.description).joined(separator: "\n") } }

    /// Method, path without ids, and status of everything that was answered.
    var seen: Set<String> {
        log.withLock { log in
            Set(
                log.compactMap { exchange in
                    guard let method = exchange["method"]?.string, let url = exchange["url"]?.string,
                        let status = exchange["status"]?.integer
                    else { return nil }
                    let path = url.prefix { $0 != "?" }.split(separator: "/").map { segment in
                        segment.hasPrefix("prj_") || segment.hasPrefix("dpl_") || segment == "podcast-web" || segment.contains(".")
                            ? "*" : segment
                    }
                    return "\(method) /\(path.joined(separator: "/")) \(status)"
                })
        }
    }

    func answer(_ request: HTTPRequest) async -> SimulatedResponse {
        let response = await inner.answer(request)
        guard case .whole(let whole) = response else { return response }
        let path = request.url.dropFirst(VercelStage.url.count)
        log.withLock {
            $0.append([
                "method": .string(request.method.rawValue), "url": .string(String(path)),
                "body": request.body.isEmpty ? .null : .string(String(decoding: request.body, as: UTF8.self)),
                "status": .integer(whole.status), "answer": .string(whole.text),
            ])
        }
        return response
    }
}
