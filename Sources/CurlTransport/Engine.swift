import CCurl
import HTTPCore

/// The loop around `curl_multi`. Lives and dies on one thread.
final class Engine {
    /// libcurl 7.88 lets 6 to 9 % of cold HTTP/2 fan-outs sit out one whole poll timeout while connections are being set up.
    private static let pollWhileUnsettled: Int32 = 10
    /// About 7 KB each.
    private static let pooledTransfers = 256
    private static let rememberedLanes = 256

    private let inbox: Inbox
    private let configuration: CurlTransport.Configuration
    private let multi: UnsafeMutableRawPointer
    private var active: [Transfer] = []
    private var pool: [Transfer] = []
    private var lanes: [String: Lane] = [:]
    private var openStreams = 0
    /// No deadline is nearer than this. Deadlines that move away leave it behind; the next look at all of them corrects it.
    private var nearestExpiry: ContinuousClock.Instant?
    private lazy var authorities = Authorities.system()

    init?(inbox: Inbox, configuration: CurlTransport.Configuration) {
        guard let multi = curl_multi_init() else { return nil }
        self.inbox = inbox
        self.configuration = configuration
        self.multi = multi
        _ = curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, max(1, configuration.connections))
        limitConnections()
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
            guard !completeFinished() else { continue }
            endOverdue()
            let timeout = pollTimeout()
            guard inbox.sleep(Inbox.Bell(multi)) else { continue }
            _ = curl_multi_poll(multi, nil, 0, timeout, nil)
        }
        for case .start(let exchange, let reply) in commands + inbox.closeAndTake() {
            reply.fail(.stopped(exchange.request, sent: false))
        }
        endWaiting(where: { _ in true }, because: { .stopped($0, sent: false) })
        while let transfer = active.last { abandon(transfer) { .stopped($0, sent: $1) } }
    }

    // MARK: - Commands

    private func obey(_ command: Command) {
        switch command {
        case .start(let exchange, let reply): enqueue(exchange, reply)
        case .cancel(let exchange): cancel(exchange)
        case .resume(let exchange):
            guard let transfer = transfer(of: exchange) else { return }
            transfer.unpause()
            expect(transfer.expiry)
        }
    }

    private func enqueue(_ exchange: Exchange, _ reply: Reply) {
        let request = exchange.request
        guard !exchange.isCancelled else { return reply.fail(.cancelled(request, sent: false)) }
        do throws(TransportError) { try request.check() } catch { return reply.fail(error) }
        let expiry = ContinuousClock.now + request.deadline
        expect(expiry)
        // A stream stays for long and has a connection to itself: it neither waits for others nor keeps them waiting.
        if case .stream = reply {
            _ = start(exchange, reply, expiry)
            return
        }
        let origin = request.origin
        guard lanes[origin, default: lane(for: request)].enter() else {
            lanes[origin]?.wait(Lane.Waiting(exchange: exchange, reply: reply, expiry: expiry))
            return
        }
        if !start(exchange, reply, expiry) { leaveLane(of: exchange) }
    }

    private func lane(for request: HTTPRequest) -> Lane {
        Lane(limit: request.isTLS ? Lane.multiplexed : max(1, configuration.connectionsPerHost))
    }

    private func cancel(_ exchange: Exchange) {
        if let transfer = transfer(of: exchange) { return abandon(transfer) { .cancelled($0, sent: $1) } }
        let waiting = lanes[exchange.request.origin]?.remove { $0.exchange === exchange } ?? []
        for request in waiting { request.reply.fail(.cancelled(exchange.request, sent: false)) }
    }

    private func transfer(of exchange: Exchange) -> Transfer? {
        let slot = exchange.slot
        guard active.indices.contains(slot), active[slot].exchange === exchange else { return nil }
        return active[slot]
    }

    // MARK: - Transfers

    /// False if there is no memory for it; it has been answered then.
    private func start(_ exchange: Exchange, _ reply: Reply, _ expiry: ContinuousClock.Instant) -> Bool {
        guard let transfer = pool.popLast() ?? Transfer(userAgent: configuration.userAgent) else {
            reply.fail(.outOfMemory(exchange.request))
            return false
        }
        transfer.prepare(exchange, reply, expiry: expiry, authorities: { authorities })
        guard curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else {
            recycle(transfer)
            reply.fail(.outOfMemory(exchange.request))
            return false
        }
        exchange.slot = active.count
        active.append(transfer)
        if transfer.isStream { changeOpenStreams(by: 1) }
        return true
    }

    /// True if anything ended; others may have been started in its place.
    private func completeFinished() -> Bool {
        var left: Int32 = 0
        var hasCompleted = false
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let transfer = Transfer.of(message.pointee.easy_handle) else { continue }
            let code = curl_message_result(message)
            end(transfer) { transfer.finish(code, authorities: { authorities }) }
            hasCompleted = true
        }
        return hasCompleted
    }

    private func abandon(_ transfer: Transfer, because error: (HTTPRequest, _ sent: Bool) -> TransportError) {
        guard let request = transfer.exchange?.request else { return }
        let failure = error(request, transfer.wasSent)
        end(transfer) { transfer.fail(failure) }
    }

    private func end(_ transfer: Transfer, answer: () -> Void) {
        _ = curl_multi_remove_handle(multi, transfer.easy)
        let exchange = transfer.exchange
        let isStream = transfer.isStream
        if let exchange, self.transfer(of: exchange) === transfer, let last = active.popLast() {
            if last !== transfer {
                active[exchange.slot] = last
                last.exchange?.slot = exchange.slot
            }
            exchange.slot = -1
        }
        answer()
        recycle(transfer)
        if isStream {
            changeOpenStreams(by: -1)
        } else if let exchange {
            leaveLane(of: exchange)
        }
    }

    private func recycle(_ transfer: Transfer) {
        transfer.clear()
        if pool.count < Self.pooledTransfers { pool.append(transfer) }
    }

    /// Lets the next in, too.
    private func leaveLane(of exchange: Exchange) {
        let origin = exchange.request.origin
        lanes[origin]?.leave()
        while let next = lanes[origin]?.admit() {
            if start(next.exchange, next.reply, next.expiry) { return }
            lanes[origin]?.leave()
        }
        if lanes.count > Self.rememberedLanes, lanes[origin]?.isUnused == true { lanes[origin] = nil }
    }

    // MARK: - Limits

    private func changeOpenStreams(by change: Int) {
        openStreams += change
        limitConnections()
    }

    private func limitConnections() {
        let connections = max(1, configuration.connections)
        let perHost = min(connections, max(1, configuration.connectionsPerHost))
        _ = curl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, perHost + openStreams)
        _ = curl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections + openStreams)
    }

    private func expect(_ expiry: ContinuousClock.Instant?) {
        guard let expiry else { return }
        nearestExpiry = min(nearestExpiry ?? expiry, expiry)
    }

    private func endOverdue() {
        guard let nearest = nearestExpiry else { return }
        let now = ContinuousClock.now
        guard nearest <= now else { return }
        nearestExpiry = nil
        endWaiting(where: { $0.expiry <= now }, because: { .timedOut($0, sent: false, phase: .connection) })
        for transfer in active.filter({ $0.expiry.map { $0 <= now } ?? false }) {
            if let error = transfer.expiryError { abandon(transfer) { _, _ in error } }
        }
        for transfer in active { expect(transfer.expiry) }
        for lane in lanes.values { expect(lane.nearestExpiry) }
    }

    private func endWaiting(where matches: (Lane.Waiting) -> Bool, because error: (HTTPRequest) -> TransportError) {
        for origin in Array(lanes.keys) {
            for request in lanes[origin]?.remove(where: matches) ?? [] { request.reply.fail(error(request.exchange.request)) }
        }
    }

    /// In milliseconds. An idle engine, and one with nothing but quiet streams, is woken by events and deadlines only.
    private func pollTimeout() -> Int32 {
        if active.contains(where: { !$0.hasAnswer }) { return Self.pollWhileUnsettled }
        guard let nearestExpiry else { return .max }
        return Int32(clamping: max(0, ContinuousClock.now.duration(to: nearestExpiry).wholeMilliseconds))
    }
}
