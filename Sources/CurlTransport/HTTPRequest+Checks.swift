import CCurl
import HTTPCore

extension HTTPRequest {
    /// Method and host for messages: `GET api.example.com:8443`. Never the user, the path or the query, where secrets may stand.
    var name: String { "\(method.rawValue) \(host)" }

    var host: String {
        guard let scheme = url.utf8Range(of: "://") else { return "an address without a scheme" }
        var authority = url[scheme.upperBound...].prefix { !"/?#\\".contains($0) }
        if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
        return authority.isEmpty ? "an address without a host" : String(authority)
    }

    var isTLS: Bool { url.hasASCIIPrefix("https://") }

    /// Scheme and authority as they are written: what shares a lane.
    var origin: String {
        var slashes = 0
        for index in url.utf8.indices {
            switch url.utf8[index] {
            case UInt8(ascii: "/"):
                slashes += 1
                if slashes == 3 { return String(url[..<index]) }
            case UInt8(ascii: "?"), UInt8(ascii: "#"): return String(url[..<index])
            default: break
            }
        }
        return url
    }

    /// Refuses what libcurl would cut off, rewrite or send somewhere else.
    func check() throws(TransportError) {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw TransportError(.badURL, "\(name): the address holds a space or a control character; encode it", mayHaveTakenEffect: false)
        }
        guard isTLS || url.hasASCIIPrefix("http://") else {
            throw TransportError(.badURL, "\(name): only http:// and https:// addresses can be asked", mayHaveTakenEffect: false)
        }
        for field in headers.fields where !field.name.isHeaderName || !field.value.isHeaderValue {
            throw TransportError(
                .badURL, "\(name): header \(field.name.isHeaderName ? field.name : "names") cannot be sent; is there a line break in it?",
                mayHaveTakenEffect: false)
        }
    }

    /// libcurl's own list; the caller frees it.
    func headerList() -> UnsafeMutablePointer<curl_slist>? {
        var list: UnsafeMutablePointer<curl_slist>?
        for field in headers.fields {
            // `Name:` would take a field of libcurl's own away; `Name;` is how it is told to send an empty one.
            list = curl_slist_append(list, field.value.isEmpty ? field.name + ";" : "\(field.name): \(field.value)")
        }
        if !body.isEmpty || method == .post || method == .put || method == .patch {
            // Form data is libcurl's guess; waiting for `100 Continue` would cost a second where a server does not answer it,
            // and a 417 would make libcurl send again.
            if headers["Content-Type"] == nil { list = curl_slist_append(list, "Content-Type:") }
            if headers["Expect"] == nil { list = curl_slist_append(list, "Expect:") }
        }
        return list
    }
}

extension Duration {
    /// For libcurl, where 0 means without limit and the type is 32 bits on some machines.
    var curlMilliseconds: Int { Int(Int32(clamping: max(1, wholeMilliseconds))) }

    /// Rounded up, so that a wait of that length does not end early.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let rest = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        let (sum, isTooLarge) = product.addingReportingOverflow(rest)
        return isTooLarge ? .max : sum
    }
}

extension String {
    fileprivate func utf8Range(of other: StaticString) -> Range<Index>? {
        var index = startIndex
        let wanted = UnsafeBufferPointer(start: other.utf8Start, count: other.utf8CodeUnitCount)
        while index < endIndex {
            if utf8[index...].starts(with: wanted) { return index..<utf8.index(index, offsetBy: wanted.count) }
            index = utf8.index(after: index)
        }
        return nil
    }

    fileprivate func hasASCIIPrefix(_ prefix: StaticString) -> Bool {
        var own = utf8.makeIterator()
        return UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount).allSatisfy { expected in
            guard let byte = own.next() else { return false }
            return byte == expected || (byte | 0x20 == expected && (0x61...0x7A).contains(expected))
        }
    }

    /// RFC 9110's token.
    fileprivate var isHeaderName: Bool {
        !isEmpty
            && utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    fileprivate var isHeaderValue: Bool { utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 } }
}
