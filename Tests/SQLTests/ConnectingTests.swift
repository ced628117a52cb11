import SQL
import Testing

@Suite struct ConnectingTests {
    private let server = SilentServer()

    private func connect(within deadline: Duration) async throws {
        _ = try await PostgresConnection(PostgresAddress("postgres://u:secret@127.0.0.1:\(server.port)/main"), deadline: deadline)
    }

    @Test(.timeLimit(.minutes(1))) func waitingForManyServersTakesNoLongerThanForOne() async throws {
        let start = ContinuousClock().now
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<32 {
                group.addTask {
                    let error = await failure { try await connect(within: .milliseconds(400)) }
                    #expect(error?.code == .unreachable)
                    #expect(error?.message == "main at 127.0.0.1:\(server.port): no connection within 0.4 seconds")
                }
            }
        }
        #expect(ContinuousClock().now - start < .seconds(3), "nothing blocks the threads that all tasks share")
    }

    @Test(.timeLimit(.minutes(1))) func connectingEndsWithItsTask() async throws {
        let task = Task { try await connect(within: .seconds(3600)) }
        task.cancel()
        #expect(await failure { try await task.value }?.code == .cancelled)
    }
}
