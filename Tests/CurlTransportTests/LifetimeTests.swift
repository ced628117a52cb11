import CurlTransport
import HTTPCore
import Testing

@Suite(.timeLimit(.minutes(1)))
struct LifetimeTests {
    @Test func cancellingTheTaskEndsTheExchange() async throws {
        let server = try SocketServer(Misdeed.serve)
        let transport = CurlTransport.make()
        let url = server.url("/stall")
        let task = Task { await transport.failure(.make(.post, url, deadline: .seconds(600))) }
        _ = await server.requests.first(1)
        task.cancel()
        let failure = await task.value
        #expect(failure == TransportError(.cancelled, "POST 127.0.0.1:\(server.port): cancelled", mayHaveTakenEffect: true))
        #expect(await server.closings.first(1).count == 1)
    }

    @Test func aCancelledTaskSendsNothing() async throws {
        let server = try SocketServer(Misdeed.serve)
        let transport = CurlTransport.make()
        let url = server.url("/none")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await transport.failure(.make(.post, url))
        }
        let failure = await task.value
        #expect(failure?.code == .cancelled)
        #expect(failure?.mayHaveTakenEffect == false)
        #expect(server.connections == 0)
    }

    /// More requests hang than the pool has threads; if one of them held a thread, nothing could cancel them.
    @Test func waitingHoldsNoThreadOfThePool() async throws {
        let server = try SocketServer(Misdeed.serve)
        let transport = CurlTransport.make(connectionsPerHost: 100)
        let url = server.url("/stall")
        let codes = await withTaskGroup { group in
            for _ in 0..<100 { group.addTask { await transport.failure(.make(url, deadline: .seconds(45)))?.code } }
            _ = await server.requests.first(100)
            group.cancelAll()
            return await group.reduce(into: Set<TransportError.Code?>()) { $0.insert($1) }
        }
        #expect(codes == [.cancelled])
    }

    @Test func aRequestThatWaitsForItsTurnIsCancelledAtOnce() async throws {
        let server = try SocketServer(Misdeed.serve)
        let transport = CurlTransport.make(connectionsPerHost: 1)
        let urls = (stall: server.url("/stall"), none: server.url("/none"))
        let first = Task { await transport.failure(.make(urls.stall)) }
        _ = await server.requests.first(1)
        let second = Task { await transport.failure(.make(.post, urls.none)) }
        let third = Task { await transport.result(.make(urls.none)) }
        second.cancel()
        #expect(await second.value?.code == .cancelled)
        #expect(await second.value?.mayHaveTakenEffect == false)
        first.cancel()
        #expect(try await third.value.get().text == "fine")
        #expect(await first.value?.code == .cancelled)
        #expect(server.received.count == 2)
    }

    @Test func shutdownEndsWhatIsInFlightAndRefusesWhatComes() async throws {
        let server = try SocketServer(Misdeed.serve)
        let transport = CurlTransport.make()
        let url = server.url("/stall")
        async let inFlight = transport.failure(.make(.post, url, deadline: .seconds(600)))
        _ = await server.requests.first(1)
        transport.shutdown()
        transport.shutdown()
        let first = await inFlight
        #expect(first?.code == .engineStopped)
        #expect(first?.mayHaveTakenEffect == true)
        let second = await transport.failure(.make(.post, url))
        #expect(second?.code == .engineStopped)
        #expect(second?.mayHaveTakenEffect == false)
    }

    @Test func aTransportThatIsLetGoClosesItsConnections() async throws {
        let server = try SocketServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.answer("kept")
            connection.waitForClose()
        }
        var transport: CurlTransport? = CurlTransport.make()
        #expect(try await transport?.send(.make(server.url())).text == "kept")
        transport = nil
        #expect(await server.closings.first(1).count == 1)
    }

    @Test func aShutTransportThatNeverSentAnswersToo() async throws {
        let transport = CurlTransport.make()
        transport.shutdown()
        #expect(await transport.failure(.make("http://127.0.0.1/"))?.code == .engineStopped)
    }
}
