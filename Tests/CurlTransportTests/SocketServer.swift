import Glibc
import Synchronization

/// A server of plain sockets on loopback that behaves as badly as a test wants: every connection gets a thread of its own.
final class SocketServer: Sendable {
    let port: UInt16
    /// The head of every request, in the order of arrival.
    let requests: AsyncStream<String>
    /// One element for every connection that the client closed while ``Connection/waitForClose()`` watched.
    let closings: AsyncStream<Void>

    private let listener: Int32
    private let heads = Mutex<[String]>([])
    private let accepted = Atomic(0)
    private let requestEvents: AsyncStream<String>.Continuation
    private let closingEvents: AsyncStream<Void>.Continuation

    init(_ behaviour: @escaping @Sendable (Connection) -> Void) throws {
        (requests, requestEvents) = AsyncStream.makeStream()
        (closings, closingEvents) = AsyncStream.makeStream()
        (listener, port) = try Loopback.listen()
        let (listener, accepted, server) = (self.listener, Weak(self), behaviour)
        startThread {
            while true {
                let socket = accept(listener, nil, nil)
                guard socket >= 0 else { break }
                guard let owner = accepted.value else {
                    close(socket)
                    break
                }
                owner.accepted.add(1, ordering: .relaxed)
                // A child process of another test must not keep the connection alive.
                _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
                let connection = Connection(socket: socket, server: owner)
                startThread {
                    server(connection)
                    connection.finish()
                }
            }
            close(listener)
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
    }

    var connections: Int { accepted.load(ordering: .relaxed) }
    var received: [String] { heads.withLock { $0 } }
    func url(_ path: String = "/", scheme: String = "http") -> String { "\(scheme)://127.0.0.1:\(port)\(path)" }

    fileprivate func note(_ head: String) {
        heads.withLock { $0.append(head) }
        requestEvents.yield(head)
    }

    fileprivate func noteClosing() { closingEvents.yield() }

    private final class Weak: @unchecked Sendable {
        private(set) weak var value: SocketServer?
        init(_ value: SocketServer) { self.value = value }
    }
}

/// One accepted connection; used by its own thread only.
final class Connection: @unchecked Sendable {
    struct Request {
        var head: String
        var body: [UInt8]
        var target: String { head.split(separator: " ").dropFirst().first.map(String.init) ?? "" }
    }

    let socket: Int32
    private let server: SocketServer
    private var unread: [UInt8] = []
    private var isReset = false

    fileprivate init(socket: Int32, server: SocketServer) {
        self.socket = socket
        self.server = server
    }

    /// Nil when the client closes first.
    func readRequest() -> Request? {
        let end = Array("\r\n\r\n".utf8)
        var searched = 0
        while true {
            if let index = unread[searched...].indices.first(where: { unread[$0...].starts(with: end) }) {
                let head = String(decoding: unread[..<index], as: UTF8.self)
                unread.removeFirst(index + 4)
                let length =
                    head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length: ") }
                    .flatMap { Int($0.dropFirst(16)) } ?? 0
                while unread.count < length { guard fill() else { return nil } }
                let body = Array(unread.prefix(length))
                unread.removeFirst(length)
                server.note(head)
                return Request(head: head, body: body)
            }
            searched = max(0, unread.count - 3)
            guard fill() else { return nil }
        }
    }

    private func fill() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = recv(socket, &bytes, bytes.count, 0)
        guard count > 0 else { return false }
        unread += bytes[..<count]
        return true
    }

    func write(_ text: String) { write(Array(text.utf8)) }

    func write(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// A whole answer with its length.
    func answer(_ body: String, status: String = "200 OK", headers: String = "") {
        write("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    /// True if the kernel takes more bytes within that time.
    func canWrite(within milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }

    /// Blocks until the client is gone, and reports it.
    func waitForClose() {
        while fill() {}
        server.noteClosing()
    }

    /// The next close sends a reset.
    func resetOnClose() {
        isReset = true
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    }

    /// Carries bytes both ways until one side ends.
    func splice(to port: UInt16) {
        guard let other = Loopback.connect(port) else { return }
        defer { close(other) }
        var bytes = [UInt8](repeating: 0, count: 65536)
        while true {
            var entries = [pollfd(fd: socket, events: Int16(POLLIN), revents: 0), pollfd(fd: other, events: Int16(POLLIN), revents: 0)]
            guard poll(&entries, 2, 10_000) > 0 else { return }
            for (from, to) in [(0, other), (1, socket)] where entries[from].revents != 0 {
                let count = recv(entries[from].fd, &bytes, bytes.count, 0)
                guard count > 0, send(to, bytes, count, Int32(MSG_NOSIGNAL)) == count else { return }
            }
        }
    }

    fileprivate func finish() {
        if !isReset { shutdown(socket, Int32(SHUT_RDWR)) }
        close(socket)
    }
}

enum Loopback {
    struct Failure: Error { var call: String }

    static func listen() throws -> (socket: Int32, port: UInt16) {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | UInt32(SOCK_CLOEXEC.rawValue)), 0)
        var address = address(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, size) == 0 && Glibc.listen(socket, 4096) == 0 && getsockname(socket, $0, &size) == 0
            }
        }
        guard isBound else { throw Failure(call: "bind") }
        return (socket, address.sin_port.byteSwapped)
    }

    /// A port that nobody listens on now.
    static func freePort() throws -> UInt16 {
        let (socket, port) = try listen()
        close(socket)
        return port
    }

    /// Held all at once before they are let go: one after the other could be the same.
    static func freePorts(_ count: Int) throws -> [UInt16] {
        let listeners = try (0..<count).map { _ in try listen() }
        for listener in listeners { close(listener.socket) }
        return listeners.map(\.port)
    }

    static func connect(_ port: UInt16) -> Int32? {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | UInt32(SOCK_CLOEXEC.rawValue)), 0)
        var address = address(port: port)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard result == 0 else {
            close(socket)
            return nil
        }
        return socket
    }

    private static func address(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.byteSwapped
        address.sin_addr.s_addr = UInt32(0x7F00_0001).byteSwapped
        return address
    }
}

private final class ThreadBody {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

func startThread(_ run: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let result = pthread_create(
        &thread, nil,
        { argument in
            argument.map { Unmanaged<ThreadBody>.fromOpaque($0).takeRetainedValue().run() }
            return nil
        }, Unmanaged.passRetained(ThreadBody(run)).toOpaque())
    precondition(result == 0, "no thread for a test server")
    pthread_detach(thread)
}
