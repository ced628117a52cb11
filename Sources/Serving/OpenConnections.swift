import NIOCore
import Synchronization

/// The connections on which a request is being answered, so that the end of a server can close them.
final class OpenConnections: Sendable {
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

    func begin(_ channel: any Channel) { channels.withLock { $0[ObjectIdentifier(channel)] = channel } }

    func end(_ channel: any Channel) { channels.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(channel)) } }

    func closeAll() {
        for channel in channels.withLock({ Array($0.values) }) { channel.close(promise: nil) }
    }
}
