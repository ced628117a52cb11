import HTTPCore
import JSONValues
import Model
import Synchronization

@testable import KubernetesAPI

/// Answers what it was told to, in order, and keeps what it was asked.
final class ScriptedTransport: Transport {
    private let answers: Mutex<[Result<HTTPResponse, TransportError>]>
    private let log = Mutex<[HTTPRequest]>([])

    init(_ answers: Result<HTTPResponse, TransportError>...) { self.answers = Mutex(answers) }

    var requests: [HTTPRequest] { log.withLock { $0 } }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        log.withLock { $0.append(request) }
        let next = answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        guard let next else { throw TransportError(.connect, "no answer is left", mayHaveTakenEffect: false) }
        return try next.get()
    }

    func stream(_ request: HTTPRequest) async throws(TransportError) -> HTTPStream {
        let response = try await send(request)
        let chunks = AsyncThrowingStream<[UInt8], any Error> { continuation in
            // One byte at a time: an event must not depend on how the network cuts it.
            for byte in response.body { continuation.yield([byte]) }
            continuation.finish()
        }
        return HTTPStream(status: response.status, headers: response.headers, chunks: chunks)
    }
}

/// Files and time of a made-up machine.
final class Machine: Sendable {
    let files: Mutex<[String: String]>
    let time = Mutex(Timestamp(millisecondsSinceEpoch: 1_795_392_000_000))
    let variables: [String: String]

    init(_ files: [String: String] = [:], variables: [String: String] = ["HOME": "/home/me"]) {
        self.files = Mutex(files)
        self.variables = variables
    }

    var environment: ClusterEnvironment {
        ClusterEnvironment(
            variables: variables, now: { [self] in time.withLock { $0 } },
            read: { [self] path in files.withLock { $0[path].map { Array($0.utf8) } } })
    }

    func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
}

extension ClusterConnection {
    static func make(_ credentials: CredentialSource = .token("secret-token"), machine: Machine = Machine()) -> ClusterConnection {
        ClusterConnection(
            server: "https://cluster.test", context: "test", user: "user me", namespace: nil, tls: .init(), credentials: credentials,
            environment: machine.environment)
    }
}

extension Result where Success == HTTPResponse, Failure == TransportError {
    static func json(_ status: Int, _ body: JSON, headers: HTTPHeaders = [:]) -> Self {
        .success(HTTPResponse(status: status, headers: headers, body: body.bytes))
    }

    static func text(_ status: Int, _ body: String, headers: HTTPHeaders = [:]) -> Self {
        .success(HTTPResponse(status: status, headers: headers, body: Array(body.utf8)))
    }
}

func failure<Value>(_ body: () async throws(KubernetesError) -> Value) async -> KubernetesError? {
    do throws(KubernetesError) {
        _ = try await body()
        return nil
    } catch { return error }
}
