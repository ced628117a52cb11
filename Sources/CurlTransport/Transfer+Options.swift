import CCurl
import HTTPCore

/// The options of an easy handle that differ from request to request.
extension Transfer {
    func setTarget(_ request: HTTPRequest, isTLS: Bool) {
        _ = curl_set_string(easy, CURLOPT_URL, request.url)
        switch request.method {
        case .get where request.body.isEmpty:
            _ = curl_set_long(easy, CURLOPT_HTTPGET, 1)
            _ = curl_set_string(easy, CURLOPT_CUSTOMREQUEST, nil)
        case .head:
            // HTTPGET first: it is what takes back an earlier POST of this handle.
            _ = curl_set_long(easy, CURLOPT_HTTPGET, 1)
            _ = curl_set_string(easy, CURLOPT_CUSTOMREQUEST, nil)
            _ = curl_set_long(easy, CURLOPT_NOBODY, 1)
        case .delete where request.body.isEmpty:
            _ = curl_set_long(easy, CURLOPT_HTTPGET, 1)
            _ = curl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        case .get, .post, .put, .patch, .delete:
            _ = curl_set_long(easy, CURLOPT_HTTPGET, 1)
            _ = curl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count))
            request.body.withUnsafeBytes { bytes in
                // Nil would mean that the body comes from a callback; any address will do for no bytes.
                let start = bytes.baseAddress ?? UnsafeRawPointer(errorText)
                _ = curl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: start))
            }
            _ = curl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        }
        _ = curl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, request.connectDeadline.curlMilliseconds)
        // Clear-text HTTP/2 by prior knowledge breaks on connection reuse in libcurl 7.88: TLS only. Where it is not possible it is not
        // offered either, or `CURLOPT_PIPEWAIT` would hold every request to a host back until the first one is answered.
        let mayBeHTTP2 = isTLS && !isStream
        _ = curl_set_long(easy, CURLOPT_HTTP_VERSION, mayBeHTTP2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1)
        _ = curl_set_long(easy, CURLOPT_FRESH_CONNECT, isStream ? 1 : 0)
        _ = curl_set_long(easy, CURLOPT_FORBID_REUSE, isStream ? 1 : 0)
        // Not enough to keep a connection to itself: once libcurl 7.88 knows that a host multiplexes, it sends requests on that of a stream
        // too, when it has no other one any more. It never does where the settings of TLS differ; the floor is the same in effect.
        _ = curl_set_long(easy, CURLOPT_SSLVERSION, isStream ? Int(CURL_SSLVERSION_TLSv1_2) : Int(CURL_SSLVERSION_DEFAULT))
        _ = curl_set_string(easy, CURLOPT_ACCEPT_ENCODING, isStream ? nil : "")
    }

    func setAuthorities(file: String?, directory: String?, blob: [UInt8]?) {
        _ = curl_set_string(easy, CURLOPT_CAINFO, file)
        _ = curl_set_string(easy, CURLOPT_CAPATH, directory)
        setBlob(CURLOPT_CAINFO_BLOB, blob)
    }

    func setBlob(_ option: CURLoption, _ bytes: [UInt8]?) {
        // An empty blob is kept as one byte of white space: it must trust nothing, not everything that is the default.
        guard let bytes else {
            _ = curl_set_blob(easy, option, nil, 0)
            return
        }
        (bytes.isEmpty ? [0x0A] : bytes).withUnsafeBytes { _ = curl_set_blob(easy, option, $0.baseAddress, $0.count) }
    }
}
