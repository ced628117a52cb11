import Model
import SpecFields
import YAMLReading

extension Configuration.Source {
    /// A literal, or a mapping that says where the value stands.
    static let form = Form.scalar(literal) { place(&$0) }

    /// A mapping that says where the value stands, for what must never stand in a spec.
    static let reference = Form<Configuration.Source>.object { place(&$0) }

    private static func place(_ fields: inout Fields) -> Configuration.Source {
        let places = [
            Alternative("fromEnv", .string(.environmentName), "A variable of the process's environment.", Configuration.Source.environment),
            Alternative(
                "fromFile", "A text file, absolute or relative to this file; a last newline does not count.", Configuration.Source.file),
            Alternative("fromSecret", KubernetesSecretDeclaration.form, "A key of a Kubernetes Secret.") { $0 },
        ]
        return fields.exactlyOne(of: "a place", places) ?? .literal("")
    }

    private static let literal = Form<Configuration.Source>(
        schema: Form.possiblyEmptyString.schema, placeholder: { .literal("") },
        read: { node, reading in
            guard let text = Form.possiblyEmptyString.read(node, reading) else { return nil }
            guard !text.isLikeCredential else {
                reading.report("secrets never stand in a spec: use fromEnv, fromFile or fromSecret", at: node.mark)
                return nil
            }
            return .literal(text)
        })

    /// Paths in a spec are relative to the spec file.
    func resolved(_ path: (String) -> String) -> Configuration.Source {
        if case .file(let relative) = self { return .file(path(relative)) }
        return self
    }
}

private enum KubernetesSecretDeclaration {
    static let form = Form<Configuration.Source>.object { fields in
        .kubernetesSecret(
            namespace: fields.optional(
                "namespace", .string(.label), "Its namespace; without one, that of the kubeconfig's context or of the pod."),
            name: fields.required("name", .string(.subdomain), "The Secret's name."),
            key: fields.required("key", .string(.secretKey), "The key within it."))
    }
}

extension String {
    /// True if it begins as well-known credentials do, holds a private key, or is a URL with a password.
    fileprivate var isLikeCredential: Bool {
        if Self.credentialPrefixes.contains(where: { hasPrefix($0) && utf8.count >= $0.utf8.count + 8 }) { return true }
        if contains("-----BEGIN "), contains("PRIVATE KEY") { return true }
        return hasPassword || isSignedToken
    }

    /// A JSON Web Token: three parts, the first two of which begin as JSON does in base64.
    private var isSignedToken: Bool {
        let parts = split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 3 && parts[0].hasPrefix("eyJ") && parts[1].hasPrefix("eyJ")
    }

    /// Chosen by their vendors so that they are found where they do not belong.
    private static let credentialPrefixes = [
        "sk_live_", "rk_live_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "xapp-", "AKIA", "ASIA",
        "sk-ant-", "sk-proj-", "npm_", "rnd_", "fo1_", "FlyV1 ", "AIza", "SG.",
    ]

    /// `scheme://user:password@`, the user may be missing.
    private var hasPassword: Bool {
        guard let scheme = firstRange(of: "://")?.upperBound else { return false }
        let authority = self[scheme...].prefix { !"/?#".contains($0) && !$0.isWhitespace }
        guard let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":") else { return false }
        return authority.index(after: colon) < at
    }
}

extension StringRule {
    /// What every provider takes: https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html
    static let environmentName = StringRule(
        pattern: "^[A-Za-z_][A-Za-z0-9_]{0,255}$", hint: "a variable's name: letters, digits and '_', not beginning with a digit"
    ) { text in
        guard let first = text.utf8.first, text.utf8.count <= 256, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy { isLetterOrDigit($0) || $0 == 0x5F }
    }

    /// https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data
    fileprivate static let secretKey = StringRule(
        pattern: "^[-._A-Za-z0-9]{1,253}$", hint: "a key of a Secret: letters, digits, '-', '_' and '.'"
    ) { text in
        (1...253).contains(text.utf8.count) && text.utf8.allSatisfy { isLetterOrDigit($0) || [0x2D, 0x2E, 0x5F].contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
