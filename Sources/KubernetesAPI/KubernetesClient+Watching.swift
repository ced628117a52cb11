import HTTPCore
public import JSONValues

/// A change that a watch tells of.
public enum WatchEvent: Sendable, Hashable {
    case added(JSON)
    case modified(JSON)
    case deleted(JSON)
    /// Nothing changed up to this version: a watch may begin here.
    case bookmark(resourceVersion: String)
}

extension KubernetesClient {
    /// Changes of a collection after `resourceVersion`.
    ///
    /// Ends when the server ends it, after about `timeout`; begin again at the last version seen. Throws ``KubernetesError`` of code
    /// `gone` when that version is too old: then list again. Ending the iteration closes the connection.
    public func watch(
        _ resource: KubernetesResource, namespace: String? = nil, labelSelector: String? = nil, from resourceVersion: String,
        timeout: Duration = .seconds(300)
    ) async throws(KubernetesError) -> WatchEvents {
        let operation = Operation(verb: "watch", resource: resource, namespace: namespace)
        let query: [(name: String, value: String?)] = [
            ("watch", "true"), ("allowWatchBookmarks", "true"), ("resourceVersion", resourceVersion), ("labelSelector", labelSelector),
            ("timeoutSeconds", String(timeout.components.seconds)),
        ]
        var request = request(.get, resource.path(namespace: namespace), query: query)
        // The server ends the watch; silence until then is no failure.
        request.deadline = timeout + .seconds(30)
        let credential = try await authenticate(&request)
        let stream: HTTPStream
        do throws(TransportError) { stream = try await transport.stream(request) } catch {
            throw KubernetesError(error, operation, on: connection)
        }
        if (200...299).contains(stream.status) { return WatchEvents(stream.chunks, operation, connection, hiding: credential.token) }
        if stream.status == 401 { _ = await credentials.renew(instead: credential) }
        let body = await WatchEvents.beginning(of: stream.chunks)
        throw KubernetesError(
            HTTPResponse(status: stream.status, headers: stream.headers, body: body), operation, on: connection, hiding: credential.token)
    }
}

/// The events of one watch, each read as soon as its line is complete.
public struct WatchEvents: AsyncSequence, Sendable {
    private static let lineLimit = 16 << 20

    private let chunks: AsyncThrowingStream<[UInt8], any Error>
    private let operation: Operation
    private let connection: ClusterConnection
    private let secret: String?

    init(
        _ chunks: AsyncThrowingStream<[UInt8], any Error>, _ operation: Operation, _ connection: ClusterConnection, hiding secret: String?
    ) {
        self.chunks = chunks
        self.operation = operation
        self.connection = connection
        self.secret = secret
    }

    /// Of an error page, as much as is worth reading.
    static func beginning(of chunks: AsyncThrowingStream<[UInt8], any Error>) async -> [UInt8] {
        var body: [UInt8] = []
        do {
            for try await chunk in chunks {
                body += chunk
                if body.count > 65_536 { break }
            }
        } catch {
            // The status code was the answer; its explanation broke off.
        }
        return body
    }

    public func makeAsyncIterator() -> Iterator { Iterator(chunks.makeAsyncIterator(), self) }

    public struct Iterator: AsyncIteratorProtocol {
        private var chunks: AsyncThrowingStream<[UInt8], any Error>.Iterator
        private let events: WatchEvents
        private var buffer: [UInt8] = []
        private var position = 0

        init(_ chunks: AsyncThrowingStream<[UInt8], any Error>.Iterator, _ events: WatchEvents) {
            self.chunks = chunks
            self.events = events
        }

        /// Throws ``KubernetesError`` and nothing else.
        public mutating func next() async throws -> WatchEvent? {
            var searched = position
            while true {
                if let end = buffer[searched...].firstIndex(of: 0x0A) {
                    let line = Array(buffer[position..<end])
                    position = end + 1
                    searched = position
                    if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) { continue }
                    return try event(line)
                }
                buffer.removeFirst(position)
                position = 0
                searched = buffer.count
                guard searched < WatchEvents.lineLimit else { throw malformed("an event of more than \(WatchEvents.lineLimit) bytes") }
                do {
                    guard let chunk = try await chunks.next(isolation: #isolation) else {
                        // What is left is an event that broke off; the next watch brings it again.
                        return nil
                    }
                    buffer += chunk
                } catch let error as TransportError {
                    throw KubernetesError(error, events.operation, on: events.connection)
                }
            }
        }

        private func malformed(_ what: String) -> KubernetesError {
            KubernetesError(malformed: what, events.operation, on: events.connection)
        }

        private func event(_ line: [UInt8]) throws(KubernetesError) -> WatchEvent {
            let json: JSON
            do throws(JSONError) { json = try JSON(parsing: line) } catch { throw malformed("\(error)") }
            guard let object = json["object"], object.object != nil else { throw malformed("an event without an object") }
            switch json["type"]?.string {
            case "ADDED": return .added(object)
            case "MODIFIED": return .modified(object)
            case "DELETED": return .deleted(object)
            case "BOOKMARK":
                guard let version = object["metadata"]?["resourceVersion"]?.string else { throw malformed("a bookmark without a version") }
                return .bookmark(resourceVersion: version)
            case "ERROR":
                let status = object["code"]?.integer ?? 500
                throw KubernetesError(
                    HTTPResponse(status: status, body: object.bytes), events.operation, on: events.connection, hiding: events.secret)
            default: throw malformed("an event of type \(json["type"]?.string ?? "none")")
            }
        }
    }
}
