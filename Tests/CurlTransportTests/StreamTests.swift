import CurlTransport
import HTTPCore
import Testing

private let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Kind: watch\r\n\r\n"

private func chunk(_ text: String) -> String { "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n" }

@Suite(.timeLimit(.minutes(1)))
struct StreamTests {
    @Test func theHeadIsThereBeforeTheBodyAndPiecesComeAsTheyAreSent() async throws {
        let server = try SocketServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write(chunked)
            for text in ["one", "two"] { connection.write(chunk(text)) }
            connection.write("0\r\n\r\n")
            connection.waitForClose()
        }
        let stream = try await CurlTransport.make().stream(.make(server.url()))
        #expect(stream.status == 200)
        #expect(stream.headers["x-kind"] == "watch")
        var text = ""
        for try await piece in stream.chunks { text += String(decoding: piece, as: UTF8.self) }
        #expect(text == "onetwo")
    }

    @Test func aPieceIsDeliveredWhileTheStreamStaysOpen() async throws {
        let server = try SocketServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write(chunked + chunk("event"))
            connection.waitForClose()
        }
        let transport = CurlTransport.make()
        var stream: HTTPStream? = try await transport.stream(.make(server.url(), deadline: .seconds(50)))
        if let chunks = stream?.chunks {
            for try await piece in chunks {
                #expect(String(decoding: piece, as: UTF8.self) == "event")
                break
            }
        }
        stream = nil
        #expect(await server.closings.first(1).count == 1, "an iteration that ends early closes the connection")
    }

    @Test func cancellingTheTaskOfAnIterationClosesTheConnection() async throws {
        let server = try SocketServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write(chunked + chunk("event"))
            connection.waitForClose()
        }
        let stream = try await CurlTransport.make().stream(.make(server.url(), deadline: .seconds(50)))
        let (events, event) = AsyncStream<Void>.makeStream()
        let task = Task {
            for try await _ in stream.chunks { event.yield() }
        }
        _ = await events.first(1)
        task.cancel()
        _ = await task.result
        #expect(await server.closings.first(1).count == 1)
        _ = stream.status
    }

    @Test func theHeadHasADeadline() async throws {
        let server = try SocketServer(Misdeed.serve)
        let transport = CurlTransport.make()
        await #expect(
            throws: TransportError(.timedOut, "GET 127.0.0.1:\(server.port): no answer within 0.1 seconds", mayHaveTakenEffect: true)
        ) {
            _ = try await transport.stream(.make(server.url("/stall"), deadline: .milliseconds(100)))
        }
    }

    @Test func silenceHasADeadlineAndWhatCameBeforeIsDelivered() async throws {
        let server = try SocketServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write(chunked + chunk("event"))
            connection.waitForClose()
        }
        let stream = try await CurlTransport.make().stream(.make(server.url(), deadline: .milliseconds(100)))
        var pieces = 0
        await #expect(
            throws: TransportError(.timedOut, "GET 127.0.0.1:\(server.port): nothing was heard for 0.1 seconds", mayHaveTakenEffect: true)
        ) {
            for try await _ in stream.chunks { pieces += 1 }
        }
        #expect(pieces == 1)
    }

    @Test func aStreamThatBreaksOffIsAnError() async throws {
        let server = try SocketServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write(chunked + chunk("event"))
        }
        let stream = try await CurlTransport.make().stream(.make(server.url()))
        var text = ""
        let error = await #expect(throws: TransportError.self) {
            for try await piece in stream.chunks { text += String(decoding: piece, as: UTF8.self) }
        }
        #expect(error?.code == .connectionLost)
        #expect(text == "event")
    }

    @Test func aStreamThatCannotBeginIsAnErrorOfTheCall() async throws {
        let port = try Loopback.freePort()
        let transport = CurlTransport.make()
        let error = await #expect(throws: TransportError.self) { _ = try await transport.stream(.make("http://127.0.0.1:\(port)/")) }
        #expect(error?.code == .connect)
    }

    @Test func aConsumerThatLagsHoldsTheServerUpAndLosesNothing() async throws {
        let total = 64 << 20
        let (heldUp, hold) = AsyncStream<Int>.makeStream()
        let server = try SocketServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let piece = [UInt8](repeating: 7, count: 64 << 10)
            var sent = 0
            var isReported = false
            while sent < total {
                if !isReported, !connection.canWrite(within: 200) {
                    isReported = true
                    hold.yield(sent)
                }
                connection.write(piece)
                sent += piece.count
            }
            if !isReported { hold.yield(sent) }
            connection.waitForClose()
        }
        let transport = CurlTransport.make()
        // Shorter than the hold-up: a consumer that lags is not a silent server.
        let stream = try await transport.stream(.make(server.url(), deadline: .milliseconds(150)))
        let sentWhileNobodyRead = await heldUp.first(1)
        #expect((sentWhileNobodyRead.first ?? total) < 32 << 20, "the rest of it stands in the kernel's socket buffers")
        var received = 0
        for try await piece in stream.chunks { received += piece.count }
        #expect(received == total)
    }

    @Test func streamsDoNotTakeTheConnectionsOfRequests() async throws {
        let server = try SocketServer { connection in
            guard let request = connection.readRequest() else { return }
            guard request.target == "/watch" else { return connection.answer("fine") }
            connection.write(chunked)
            connection.waitForClose()
        }
        let transport = CurlTransport.make(connectionsPerHost: 1)
        var streams: [HTTPStream] = []
        for _ in 0..<3 { streams.append(try await transport.stream(.make(server.url("/watch")))) }
        #expect(try await transport.send(.make(server.url())).text == "fine")
        #expect(streams.map(\.status) == [200, 200, 200])
    }

    @Test func otherRequestsGoOnWhileAStreamIsHeldUp() async throws {
        let server = try SocketServer { connection in
            while let request = connection.readRequest() {
                guard request.target == "/watch" else {
                    connection.answer("fine")
                    continue
                }
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + String(repeating: "x", count: 10_000_000))
            }
        }
        let transport = CurlTransport.make()
        let stream = try await transport.stream(.make(server.url("/watch")))
        for _ in 0..<20 { #expect(try await transport.send(.make(server.url())).text == "fine") }
        var received = 0
        for try await piece in stream.chunks { received += piece.count }
        #expect(received == 10_000_000)
    }
}
