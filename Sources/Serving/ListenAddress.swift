/// Where a server listens: `:8080`, `127.0.0.1:8080`, `[::1]:0`, `localhost:8080`.
public struct ListenAddress: Sendable, Hashable {
    /// Nil is every address of the machine.
    public let host: String?
    /// 0 is whichever is free.
    public let port: Int

    /// Nil for anything else than a host, which may be left out, a colon and a port.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits), port <= 65_535 else {
            return nil
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":") else { return nil }
        } else if host.contains(where: { ":[]/ @".contains($0) }) {
            return nil
        }
        self.host = host.isEmpty || host == "*" ? nil : host
        self.port = port
    }
}

extension ListenAddress: CustomStringConvertible {
    public var description: String { Self.text(host ?? "", port) }

    static func text(_ host: String, _ port: Int) -> String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
