import HTTPCore

/// The head of a response, as libcurl hands it over line by line.
struct ResponseHead {
    private(set) var status = 0
    private(set) var headers = HTTPHeaders()
    /// Bytes of every line so far, interim heads included.
    private(set) var size = 0
    private var isComplete = false

    var hasBegun: Bool { size > 0 }

    /// Takes one line with its line break; true when it ends the final head.
    /// An interim head (1xx) is dropped, and so are trailers.
    mutating func append(_ line: UnsafeRawBufferPointer) -> Bool {
        size += line.count
        var text = line[...]
        while let last = text.last, last == 0x0A || last == 0x0D { text.removeLast() }
        if text.isEmpty {
            guard !isComplete, status >= 200 else { return false }
            isComplete = true
            return true
        }
        guard !isComplete else { return false }
        if text.starts(with: "HTTP/".utf8) {
            status = Self.status(text)
            headers = HTTPHeaders()
        } else if let colon = text.firstIndex(of: UInt8(ascii: ":")) {
            let value = Self.trimmed(text[(colon + 1)...])
            headers.append(String(decoding: text[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self))
        }
        return false
    }

    /// What is announced as the body's size; nil when nothing is, or when it counts compressed bytes.
    var bodyLength: Int? {
        guard headers["Content-Encoding"] == nil else { return nil }
        return headers["Content-Length"].flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
    }

    private static func status(_ line: Slice<UnsafeRawBufferPointer>) -> Int {
        guard let space = line.firstIndex(of: 0x20) else { return 0 }
        return line[(space + 1)...].prefix(3).reduce(0) { $0 * 10 + Int($1 & 0x0F) }
    }

    private static func trimmed(_ text: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        var text = text
        while let first = text.first, first == 0x20 || first == 0x09 { text.removeFirst() }
        while let last = text.last, last == 0x20 || last == 0x09 { text.removeLast() }
        return text
    }
}
