import Model
import ProviderKit
import Synchronization

/// The leases that one write holds. They are short and renewed in the background, so that a crash holds nobody up for long.
final class FlyLeases: Sendable {
    /// What the vendor's own deploys use.
    static let seconds = 13
    static let renewal = Duration.seconds(4)

    private let api: FlyAPI
    private let time: FlyTime
    private let description: String
    private let nonces = Mutex<[String: String]>([:])

    init(api: FlyAPI, time: FlyTime, description: String) {
        self.api = api
        self.time = time
        self.description = description
    }

    func nonce(of machine: String) -> String { nonces.withLock { $0[machine] ?? "" } }

    /// - Returns: the version that the machine has; nil when the answer does not tell.
    func take(_ machine: String) async throws(APIError) -> String? {
        let (nonce, version) = try await api.lease(machine, description: description, seconds: Self.seconds)
        nonces.withLock { $0[machine] = nonce }
        return version
    }

    /// Renews every lease until the task is cancelled.
    func keep() async {
        while !Task.isCancelled {
            do { try await time.sleep(Self.renewal) } catch { return }
            for (machine, nonce) in nonces.withLock({ $0 }) {
                // A lease that cannot be renewed lapses: whoever takes the machine then makes the next write fail, by its version.
                do throws(APIError) {
                    _ = try await api.lease(machine, description: description, seconds: Self.seconds, nonce: nonce)
                } catch { continue }
            }
        }
    }

    /// Gives every lease back, also when the caller's task is cancelled: nobody could touch the machines otherwise until they lapse. Hence
    /// a task of its own, on the caller's executor, which is waited for, and which every request's deadline bounds.
    func release() async {
        let held = nonces.withLock { nonces in
            let held = nonces
            nonces = [:]
            return held
        }
        guard !held.isEmpty else { return }
        let api = api
        let executor = withUnsafeCurrentTask { $0?.unownedTaskExecutor?.asTaskExecutor() }
        await Task(executorPreference: executor) {
            for (machine, nonce) in held.sorted(by: { $0.key < $1.key }) {
                do throws(APIError) { try await api.release(machine, nonce: nonce) } catch { continue }  // It lapses by itself.
            }
        }.value
    }
}
