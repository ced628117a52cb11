import Synchronization

/// The cookies by which the Machines API leads the requests of an app to the same place, so that what was written is read. As a connection
/// is, it is kept as long as the process lives, and losing it loses nothing.
final class FlyAffinity: Sendable {
    private let cookies = Mutex<[String: String]>([:])
    /// The newest version of an app's secrets that this process was told.
    private let versions = Mutex<[String: Int]>([:])

    subscript(app: String) -> String? { cookies.withLock { $0[app] } }

    /// - Parameter field: a `Set-Cookie`.
    func keep(_ field: String, for app: String) {
        guard let pair = field.split(separator: ";").first, pair.hasPrefix("fly_flaps_affinity=") else { return }
        cookies.withLock { $0[app] = String(pair) }
    }

    func secretsVersion(of app: String) -> Int? { versions.withLock { $0[app] } }

    func keepSecretsVersion(_ version: Int?, of app: String) {
        guard let version else { return }
        versions.withLock { $0[app] = max($0[app] ?? 0, version) }
    }
}
