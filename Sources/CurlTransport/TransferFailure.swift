import CCurl
import HTTPCore

/// What libcurl says about a failed transfer, put into the words of ``TransportError``.
struct TransferFailure {
    var code: CURLcode
    var refusal: Transfer.Refusal?
    var wasSent: Bool
    var hasAnswer: Bool
    /// libcurl's own sentence; names hosts, never a query, a header or a body. May name a proxy with its password.
    var text: String
    /// What a proxy answered to CONNECT; 0 when none was asked.
    var proxyStatus: Int
    var request: HTTPRequest
    /// Those of the system, for messages.
    var authorities: Authorities

    var error: TransportError {
        if let refusal { return refused(refusal) }
        switch code {
        case CURLE_URL_MALFORMAT:
            return error(.badURL, "the address is not a valid URL")
        case CURLE_COULDNT_RESOLVE_HOST:
            return error(.nameResolution, "the name does not resolve; is it spelled right, and does DNS work here?")
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY:
            return error(.proxy, "the proxy cannot be used; check https_proxy, http_proxy, all_proxy and no_proxy")
        case CURLE_COULDNT_CONNECT:
            return error(.connect, "no connection: \(reason)")
        case CURLE_OPERATION_TIMEDOUT:
            return .timedOut(request, sent: wasSent, phase: !wasSent ? .connection : hasAnswer ? .body : .head)
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CLIENTCERT, CURLE_SSL_CRL_BADFILE, CURLE_SSL_INVALIDCERTSTATUS:
            return error(.tls, tlsExplanation)
        case CURLE_BAD_CONTENT_ENCODING, CURLE_WEIRD_SERVER_REPLY, CURLE_WRITE_ERROR, CURLE_UNSUPPORTED_PROTOCOL:
            return error(.malformedResponse, "the answer is not valid HTTP: \(reason)")
        case CURLE_OUT_OF_MEMORY:
            return .outOfMemory(request)
        default:
            return unclassified
        }
    }

    private func refused(_ refusal: Transfer.Refusal) -> TransportError {
        switch refusal {
        case .bodyTooLarge: error(.bodyTooLarge, "the answer is larger than \(request.bodyLimit) bytes")
        case .headTooLarge: error(.malformedResponse, "the head of the answer is larger than 256 KB")
        case .secondSending: error(.connectionLost, "the connection ended before the answer; whether the request took effect is unknown")
        }
    }

    private var unclassified: TransportError {
        if !wasSent, proxyStatus != 0 {
            return error(.proxy, "the proxy answered \(proxyStatus) and made no connection; does it allow this host?")
        }
        guard wasSent else { return error(.connect, "no connection: \(reason)") }
        if text.contains("chunked-encoding") || text.contains("Invalid Content-Length") {
            return error(.malformedResponse, "the answer is not valid HTTP: \(reason)")
        }
        // With TLS 1.3 a server refuses a client certificate only after the client's side of the handshake is done.
        if text.contains("alert") && (text.contains("certificate") || text.contains("unknown ca")) { return error(.tls, tlsExplanation) }
        return error(.connectionLost, hasAnswer ? "the answer broke off: \(reason)" : "the connection ended before the answer: \(reason)")
    }

    private var reason: String { text.isEmpty ? String(cString: curl_easy_strerror(code)) : text }

    private var tlsExplanation: String {
        let trusted =
            request.tls?.certificateAuthorities != nil
            ? "trusted are only the authorities given for this host; are they the ones that signed its certificate?"
            : "trusted are the authorities in \(authorities.description); SSL_CERT_FILE names others"
        let shown = request.tls?.clientCertificate == nil ? "" : "; a client certificate was shown"
        return "TLS failed: \(reason); \(trusted)\(shown)"
    }

    private func error(_ code: TransportError.Code, _ what: String) -> TransportError {
        TransportError(code, "\(request.name): \(what)", mayHaveTakenEffect: wasSent)
    }
}

extension TransportError {
    enum Phase { case connection, head, body, silence }

    static func timedOut(_ request: HTTPRequest, sent: Bool, phase: Phase) -> TransportError {
        let what =
            switch phase {
            case .connection:
                "no connection within \(min(request.connectDeadline, request.deadline))"
            case .head: "no answer within \(request.deadline)"
            case .body: "the answer was not complete within \(request.deadline)"
            case .silence: "nothing was heard for \(request.deadline)"
            }
        return TransportError(.timedOut, "\(request.name): \(what)", mayHaveTakenEffect: sent)
    }

    static func cancelled(_ request: HTTPRequest, sent: Bool) -> TransportError {
        TransportError(.cancelled, "\(request.name): cancelled", mayHaveTakenEffect: sent)
    }

    static func stopped(_ request: HTTPRequest, sent: Bool) -> TransportError {
        TransportError(.engineStopped, "\(request.name): the transport was shut down, or could not start", mayHaveTakenEffect: sent)
    }

    static func outOfMemory(_ request: HTTPRequest) -> TransportError {
        TransportError(.engineStopped, "\(request.name): no memory for the request", mayHaveTakenEffect: false)
    }
}
