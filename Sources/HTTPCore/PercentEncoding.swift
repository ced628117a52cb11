extension String {
    /// The string with everything outside RFC 3986's unreserved characters percent-encoded: fit for a path segment or a query value.
    public var percentEncoded: String {
        var encoded = ""
        encoded.reserveCapacity(utf8.count)
        for byte in utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                encoded += "%"
                encoded.unicodeScalars.append(Self.hexDigits[Int(byte >> 4)])
                encoded.unicodeScalars.append(Self.hexDigits[Int(byte & 15)])
            }
        }
        return encoded
    }

    /// A query string with its leading `?`, in the given order; empty when there is nothing to say.
    public static func query(_ items: [(name: String, value: String?)]) -> String {
        let present = items.compactMap { item in item.value.map { "\(item.name.percentEncoded)=\($0.percentEncoded)" } }
        return present.isEmpty ? "" : "?" + present.joined(separator: "&")
    }

    private static let hexDigits = Array("0123456789ABCDEF".unicodeScalars)
}
