import CCurl
import HTTPCore

/// The loop around `curl_multi`. Lives and dies on one thread.
final class Engine {
    /// libcurl 7.88 lets 6 to 9 % of cold HTTP/2 fan-outs sit out one whole poll timeout while connections are being set up.
    private static let pollWhileUnsettled: Int32 = 10
    private static let pooledTransfers = 64

    private let inbox: Inbox
    private let configuration: CurlTransport.Configuration
    private let multi: UnsafeMutableRawPointer
    private var active: [Transfer] = []
    private var pool: [Transfer] = []
    private lazy var authorities = Authorities.system()

    init?(inbox: Inbox, configuration: CurlTransport.Configuration) {
        guard let multi = curl_multi_init() else { return nil }
        self.inbox = inbox
        self.configuration = configuration
        self.multi = multi
        let connections = max(1, configuration.connections)
        _ = curl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, min(connections, max(1, configuration.connectionsPerHost)))
        _ = curl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections)
        _ = curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, connections)
    }

    deinit {
        active = []
        pool = []
        curl_multi_cleanup(multi)
    }

    /// Returns when the inbox is closed; every request that it took has been answered then.
    func run() {
        var commands: [Command] = []
        while inbox.take(into: &commands) {
            for command in commands { obey(command) }
            commands.removeAll(keepingCapacity: true)
            var running: Int32 = 0
            _ = curl_multi_perform(multi, &running)
            completeFinished()
            let timeout = nextTimeout()
            guard inbox.sleep(Inbox.Bell(multi)) else { continue }
            _ = curl_multi_poll(multi, nil, 0, timeout, nil)
        }
        for case .start(let exchange, let reply) in commands + inbox.closeAndTake() {
            reply.fail(.stopped(exchange.request, sent: false))
        }
        while let transfer = active.last { abandon(transfer) { .stopped($0, sent: $1) } }
    }

    private func obey(_ command: Command) {
        switch command {
        case .start(let exchange, let reply): start(exchange, reply)
        case .cancel(let exchange): if let transfer = transfer(of: exchange) { abandon(transfer) { .cancelled($0, sent: $1) } }
        case .resume(let exchange): transfer(of: exchange)?.unpause()
        }
    }

    private func transfer(of exchange: Exchange) -> Transfer? {
        let slot = exchange.slot
        guard active.indices.contains(slot), active[slot].exchange === exchange else { return nil }
        return active[slot]
    }

    private func start(_ exchange: Exchange, _ reply: Reply) {
        guard !exchange.isCancelled else { return reply.fail(.cancelled(exchange.request, sent: false)) }
        guard let transfer = pool.popLast() ?? Transfer(userAgent: configuration.userAgent) else {
            return reply.fail(.outOfMemory(exchange.request))
        }
        do throws(TransportError) {
            try transfer.prepare(exchange, reply, authorities: { authorities })
        } catch {
            recycle(transfer)
            return reply.fail(error)
        }
        guard curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else {
            recycle(transfer)
            return reply.fail(.outOfMemory(exchange.request))
        }
        exchange.slot = active.count
        active.append(transfer)
    }

    private func completeFinished() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let transfer = Transfer.of(message.pointee.easy_handle) else { continue }
            let code = curl_message_result(message)
            remove(transfer)
            transfer.finish(code, authorities: { authorities })
            recycle(transfer)
        }
    }

    private func abandon(_ transfer: Transfer, because error: (HTTPRequest, _ sent: Bool) -> TransportError) {
        let failure = transfer.exchange.map { error($0.request, transfer.wasSent) }
        remove(transfer)
        if let failure { transfer.fail(failure) }
        recycle(transfer)
    }

    private func remove(_ transfer: Transfer) {
        _ = curl_multi_remove_handle(multi, transfer.easy)
        guard let exchange = transfer.exchange, self.transfer(of: exchange) === transfer, let last = active.popLast() else { return }
        if last !== transfer {
            active[exchange.slot] = last
            last.exchange?.slot = exchange.slot
        }
        exchange.slot = -1
    }

    private func recycle(_ transfer: Transfer) {
        transfer.clear()
        if pool.count < Self.pooledTransfers { pool.append(transfer) }
    }

    /// Ends what is past its deadline and returns how long the poll may last, in milliseconds.
    private func nextTimeout() -> Int32 {
        var isUnsettled = false
        var nearest: ContinuousClock.Instant?
        var index = 0
        var now: ContinuousClock.Instant?
        while index < active.count {
            let transfer = active[index]
            isUnsettled = isUnsettled || !transfer.hasAnswer
            if let expiry = transfer.expiry {
                let current = now ?? .now
                now = current
                if expiry <= current {
                    if let error = transfer.expiryError { abandon(transfer) { _, _ in error } }
                    continue
                }
                nearest = min(nearest ?? expiry, expiry)
            }
            index += 1
        }
        if isUnsettled { return Self.pollWhileUnsettled }
        guard let nearest, let now else { return .max }
        return Int32(clamping: now.duration(to: nearest).wholeMilliseconds)
    }
}
