import ControlPlane
import HTTPCore
import KubernetesAPI
import Model
import ProviderKit
import Synchronization
import Testing

@testable import KubernetesProvider

@Suite(.enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.need)))
struct RealListingTests {
    @Test func pagesOfARealListSayWhatAskingForEachSays() async throws {
        let cluster = try await RealCluster()
        let names = (0..<12).map { "web-\(10 + $0)" }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in names { group.addTask { try await cluster.release(.deployments, name, ["v1"], replicas: 0) } }
            try await group.waitForAll()
        }
        let transport = CountedTransport(cluster.environment.transport)
        var environment = cluster.environment
        environment.transport = transport
        let provider = AnyProvider(KubernetesProvider(environment, pageSize: 5))
        let questions = (names + ["nobody"]).map { name -> (component: Component, request: ObservationRequest) in
            let component = cluster.component(.name("v1"), cluster.target(.deployments, name))
            return (component, ObservationRequest(component: name, pin: component.release))
        }
        let together = await provider.observe(all: questions)
        #expect(transport.paths.count { $0.contains("/deployments?limit=5") } == 3)
        #expect(transport.paths.filter { $0.contains("/deployments/") }.map { $0.split(separator: "/").last } == ["nobody"])
        for (question, var observation) in zip(questions, together) {
            var alone = await cluster.provider.observe(question.component, question.request)
            (alone.providerTime, observation.providerTime) = (nil, nil)
            #expect(observation == alone)
        }
        #expect(together.map { $0.settlement == .settled } == names.map { _ in true } + [false])
    }
}

/// Keeps what was asked for.
private final class CountedTransport: Transport {
    private let inner: any Transport
    private let log = Mutex<[String]>([])

    init(_ inner: any Transport) { self.inner = inner }

    var paths: [String] { log.withLock { $0 } }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        log.withLock { $0.append(request.url) }
        return try await inner.send(request)
    }

    func stream(_ request: HTTPRequest) async throws(TransportError) -> HTTPStream { try await inner.stream(request) }
}
