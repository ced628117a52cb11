public import JSONValues

/// The values of a Secret as its `data` holds them: base64 of bytes.
public enum SecretData {
    /// By key; what is not base64 is left out.
    public static func values(of secret: JSON) -> [String: [UInt8]] {
        var values: [String: [UInt8]] = [:]
        for (key, value) in secret["data"]?.object?.members ?? [] { values[key] = value.string?.base64Decoded }
        return values
    }

    /// What `data` must be for these values.
    public static func data(_ values: [(key: String, value: String)]) -> JSON {
        var data: JSON = [:]
        for (key, value) in values { data[key] = .string(Array(value.utf8).base64Encoded) }
        return data
    }
}
