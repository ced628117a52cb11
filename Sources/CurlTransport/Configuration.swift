extension CurlTransport {
    /// What holds for every request of one transport.
    public struct Configuration: Sendable, Hashable {
        /// Sent unless the request brings its own; empty: none.
        public var userAgent: String
        /// Open connections to one host; further requests wait inside their deadline.
        public var connectionsPerHost: Int
        /// Open connections altogether.
        public var connections: Int

        public init(userAgent: String = "belay", connectionsPerHost: Int = 32, connections: Int = 256) {
            self.userAgent = userAgent
            self.connectionsPerHost = connectionsPerHost
            self.connections = connections
        }
    }
}
