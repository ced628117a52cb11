import Crypto
import FoundationEssentials
import HTTPCore

/// Whether a body comes from who knows the secret. Looks at bytes only; every comparison takes the same time whatever is right.
struct WebhookProof {
    let headers: HTTPHeaders
    let body: [UInt8]
    let secrets: [String]
    /// By this machine's clock.
    let secondsSince1970: Double

    /// How far a signed time may be from this machine's, as Standard Webhooks has it.
    static let window: Double = 300

    /// Nil when it is proved, else why not.
    func refusal(_ sender: WebhookSender) -> String? {
        switch sender {
        case .github: return signed("X-Hub-Signature-256", prefix: "sha256=")
        case .generic: return signed("X-Belay-Signature-256", prefix: "sha256=")
        case .gitea:
            // Of the two names the newer one counts where it is there.
            return signed(headers["X-Forgejo-Signature"] == nil ? "X-Gitea-Signature" : "X-Forgejo-Signature", prefix: "")
        case .vercel:
            return check("x-vercel-signature", { Self.bytes(hex: $0) }) { code, secret in
                HMAC<Insecure.SHA1>.isValidAuthenticationCode(code, authenticating: body, using: SymmetricKey(data: Array(secret.utf8)))
            }
        case .render: return standard()
        case .gitlab:
            // A signature is more than a token, which everybody on the way can read; a hook may send both.
            if headers["webhook-signature"] != nil, standard() == nil { return nil }
            guard headers["X-Gitlab-Token"] != nil else {
                return headers["webhook-signature"] == nil ? "X-Gitlab-Token is missing" : standard()
            }
            return check("X-Gitlab-Token", { Array($0.utf8) }) { token, secret in
                // Of equal length then, and compared in constant time.
                let key = SymmetricKey(size: .bits256)
                return HMAC<SHA256>.isValidAuthenticationCode(
                    HMAC<SHA256>.authenticationCode(for: token, using: key), authenticating: Array(secret.utf8), using: key)
            }
        }
    }

    private func signed(_ name: String, prefix: String) -> String? {
        check(name, { $0.hasPrefix(prefix) ? Self.bytes(hex: String($0.dropFirst(prefix.count))) : nil }) { code, secret in
            HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: body, using: SymmetricKey(data: Array(secret.utf8)))
        }
    }

    private func check(_ name: String, _ read: (String) -> [UInt8]?, _ isRight: ([UInt8], String) -> Bool) -> String? {
        guard let text = headers[name] else { return "\(name) is missing" }
        guard let code = read(text) else { return "\(name) is not of the form that it must have" }
        return secrets.contains { isRight(code, $0) } ? nil : "\(name) does not match the secret"
    }

    /// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    private func standard() -> String? {
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] where headers[name] == nil { return "\(name) is missing" }
        guard let id = headers["webhook-id"], let time = headers["webhook-timestamp"], let signatures = headers["webhook-signature"],
            let seconds = Int64(time)
        else { return "webhook-timestamp is not a number" }
        let signed = Array("\(id).\(time).".utf8) + body
        let codes = signatures.split(separator: " ").filter { $0.hasPrefix("v1,") }.compactMap {
            Data(base64Encoded: String($0.dropFirst(3)))
        }
        // A secret is the base64 of the key, as a rule behind a prefix; some hosts take any text for the key itself.
        let keys = secrets.flatMap { secret -> [[UInt8]] in
            let plain = secret.hasPrefix("whsec_") ? String(secret.dropFirst(6)) : secret
            return [Array(secret.utf8)] + (Data(base64Encoded: plain).map { [Array($0)] } ?? [])
        }
        let isRight = keys.contains { key in
            codes.contains { HMAC<SHA256>.isValidAuthenticationCode($0, authenticating: signed, using: SymmetricKey(data: key)) }
        }
        guard isRight else { return "webhook-signature does not match the secret" }
        // After the signature, so that nobody learns anything of this machine's clock.
        guard abs(Double(seconds) - secondsSince1970) <= Self.window else {
            return "webhook-timestamp is not within 5 minutes of this clock"
        }
        return nil
    }

    private static func bytes(hex text: String) -> [UInt8]? {
        let digits = text.utf8.map { byte -> UInt8? in
            switch byte {
            case 0x30...0x39: byte - 0x30
            case 0x61...0x66: byte - 0x57
            case 0x41...0x46: byte - 0x37
            default: nil
            }
        }
        guard digits.count.isMultiple(of: 2), !digits.isEmpty else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[index], let low = digits[index + 1] else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}
