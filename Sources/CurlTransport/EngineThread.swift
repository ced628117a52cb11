import CCurl
import Threads

/// The thread that everything of libcurl runs on.
enum EngineThread {
    /// Once a process; thread-safe, as Swift's lazy globals are.
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    /// False if the system gives no thread. The thread ends when the inbox is closed.
    ///
    /// No signal comes there: with `CURLOPT_NOSIGNAL` libcurl leaves SIGPIPE to us, and OpenSSL writes to sockets that may be closed.
    static func start(inbox: Inbox, configuration: CurlTransport.Configuration) -> Bool {
        DetachedThread.start {
            curl_name_thread("belay-curl")
            if isReady, let engine = Engine(inbox: inbox, configuration: configuration) { engine.run() }
            for case .start(let exchange, let reply) in inbox.closeAndTake() { reply.fail(.stopped(exchange.request, sent: false)) }
        }
    }
}
