import CCurl
import Glibc

/// The thread that everything of libcurl runs on.
enum EngineThread {
    private final class Start {
        let inbox: Inbox
        let configuration: CurlTransport.Configuration
        init(inbox: Inbox, configuration: CurlTransport.Configuration) {
            self.inbox = inbox
            self.configuration = configuration
        }
    }

    /// Once a process; thread-safe, as Swift's lazy globals are.
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    /// False if the system gives no thread. The thread ends when the inbox is closed.
    static func start(inbox: Inbox, configuration: CurlTransport.Configuration) -> Bool {
        let start = Unmanaged.passRetained(Start(inbox: inbox, configuration: configuration))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                curl_name_thread("belay-curl")
                EngineThread.blockSignals()
                EngineThread.run(start)
                return nil
            }, start.toOpaque())
        guard result == 0 else {
            start.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    private static func run(_ start: Start) {
        if isReady, let engine = Engine(inbox: start.inbox, configuration: start.configuration) {
            engine.run()
        }
        for case .start(let exchange, let reply) in start.inbox.closeAndTake() {
            reply.fail(.stopped(exchange.request, sent: false))
        }
    }

    /// With `CURLOPT_NOSIGNAL` libcurl leaves SIGPIPE to us, and OpenSSL writes to sockets that may be closed.
    /// Faults of our own stay deliverable.
    private static func blockSignals() {
        var signals = sigset_t()
        sigfillset(&signals)
        for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT] { sigdelset(&signals, fault) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }
}
