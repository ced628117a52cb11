import FoundationEssentials
import JSONValues

/// The values of a Secret: base64 in `data`, as they are in `stringData`, and markers where a world is shown.
enum SecretData {
    /// The object as it is stored: `stringData` lies in `data`, over what that says.
    static func stored(_ secret: JSON) throws(APIFailure) -> JSON {
        var secret = secret
        for value in (secret["data"]?.object?.members ?? []).map(\.value) where value != .null {
            guard let text = value.string, Data(base64Encoded: text) != nil else {
                throw .badRequest(
                    "Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data at input byte \(firstIllegal(value))")
            }
        }
        for (key, value) in secret["stringData"]?.object?.members ?? [] {
            guard let text = value.string else {
                throw .badRequest("Secret in version \"v1\" cannot be handled as a Secret: json: cannot unmarshal into Go struct field")
            }
            var data = secret["data"] ?? [:]
            data[key] = .string(Data(text.utf8).base64EncodedString())
            secret["data"] = data
        }
        secret["stringData"] = nil
        return secret
    }

    private static func firstIllegal(_ value: JSON) -> Int {
        let text = value.string ?? ""
        let isLegal = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
        return text.utf8.enumerated().first { !isLegal($0.element) }?.offset ?? text.utf8.count
    }

    /// The Secret without its values, for a world that anybody may read.
    static func shown(_ secret: JSON) -> JSON {
        var secret = secret
        var markers: JSON = [:]
        for (key, value) in secret["data"]?.object?.members ?? [] {
            markers[key] = .string(ValueMarker.of(Data(base64Encoded: value.string ?? "") ?? Data()))
        }
        if secret["data"] != nil { secret["data"] = markers }
        // kubectl apply writes the whole Secret into it.
        secret["metadata"]?["annotations"]?["kubectl.kubernetes.io/last-applied-configuration"] = nil
        return secret
    }
}
