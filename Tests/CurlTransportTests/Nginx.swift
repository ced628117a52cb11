import Glibc
import HTTPCore

/// A real nginx on loopback with certificates of its own, one for the whole test run. It ends with the test process, however that ends.
struct Nginx: Sendable {
    static let isThere = Shell.has("nginx") && Shell.has("openssl")
    static let why: String = "needs the programs nginx and openssl (Debian: nginx-light, openssl)"
    static let shared: Nginx? = start()

    var plainPort: UInt16
    var tlsPort: UInt16
    var clientPort: UInt16
    var authority: [UInt8]
    var strangeAuthority: [UInt8]
    var clientCertificate: [UInt8]
    var clientKey: [UInt8]

    func plain(_ path: String) -> String { "http://127.0.0.1:\(plainPort)\(path)" }
    func tls(_ path: String) -> String { "https://127.0.0.1:\(tlsPort)\(path)" }
    func client(_ path: String) -> String { "https://127.0.0.1:\(clientPort)\(path)" }
    var trusting: TLSSettings { TLSSettings(certificateAuthorities: authority) }
    var showing: TLSSettings {
        TLSSettings(certificateAuthorities: authority, clientCertificate: clientCertificate, clientKey: clientKey)
    }

    private static func start() -> Nginx? {
        Surroundings.set()
        guard isThere, let ports = try? Loopback.freePorts(3), let made = Shell.output("mktemp -d \"${TMPDIR:-/tmp}/belay-nginx.XXXXXX\"")
        else { return nil }
        let (plain, tls, client) = (ports[0], ports[1], ports[2])
        let folder = String(decoding: made, as: UTF8.self).split(separator: "\n").joined()
        guard Shell.output(certificates(in: folder)) != nil, write(configuration(folder, plain, tls, client), to: folder + "/nginx.conf"),
            serve(folder)
        else { return nil }
        setenv("SSL_CERT_FILE", folder + "/ca.pem", 1)
        return Nginx(
            plainPort: plain, tlsPort: tls, clientPort: client, authority: Shell.file(folder + "/ca.pem"),
            strangeAuthority: Shell.file(folder + "/other.pem"), clientCertificate: Shell.file(folder + "/client.pem"),
            clientKey: Shell.file(folder + "/client.key"))
    }

    private static func certificates(in folder: String) -> String {
        """
        set -e; cd \(folder)
        new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $1.key -subj "/CN=$2" "$3" ${4:+-out $4}; }
        new ca "Belay test authority" -x509 ca.pem
        new other "Another authority" -x509 other.pem
        for name in server client; do
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $name.key -subj "/CN=belay-$name" -out $name.csr
            printf 'subjectAltName=DNS:localhost,DNS:tunnel.test,IP:127.0.0.1' > $name.ext
            openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile $name.ext -days 2 -out $name.pem
        done
        """
    }

    private static func configuration(_ folder: String, _ plain: UInt16, _ tls: UInt16, _ client: UInt16) -> String {
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder)/\($0);" }.joined(
            separator: " ")
        return """
            worker_processes 1; pid \(folder)/pid; error_log \(folder)/error.log;
            events { worker_connections 4096; }
            http {
                \(temporary)
                access_log off; default_type text/plain; keepalive_requests 1000000;
                gzip on; gzip_min_length 100; gzip_types text/plain;
                server {
                    listen 127.0.0.1:\(plain) backlog=4096;
                    location /hello { return 200 "hello"; }
                    location /connection { return 200 "$connection"; }
                    location /encoding { return 200 "$http_accept_encoding"; }
                    location /large { return 200 "\(String(repeating: "belay", count: 800))"; }
                    location /moved { return 301 http://127.0.0.1:\(plain)/hello; }
                }
                ssl_certificate \(folder)/server.pem; ssl_certificate_key \(folder)/server.key;
                server {
                    listen 127.0.0.1:\(tls) ssl http2;
                    location / { return 200 "$server_protocol $connection"; }
                }
                server {
                    listen 127.0.0.1:\(client) ssl http2;
                    ssl_client_certificate \(folder)/ca.pem; ssl_verify_client on; keepalive_timeout 200ms;
                    location /slow { limit_rate 20; return 200 "\(String(repeating: "belay", count: 800))"; }
                    location / { return 200 "$ssl_client_s_dn"; }
                }
            }
            """
    }

    private static func write(_ text: String, to path: String) -> Bool {
        guard let file = fopen(path, "we") else { return false }
        let count = fputs(text, file)
        return fclose(file) == 0 && count >= 0
    }

    /// nginx returns from its start once it listens. The shell waits at a pipe that only this process holds open.
    private static func serve(_ folder: String) -> Bool {
        let script = "PATH=$PATH:/usr/sbin; trap '' INT; cd \(folder) && cat >/dev/null; kill $(cat pid); rm -rf \(folder)"
        guard Shell.output("nginx -p \(folder) -c \(folder)/nginx.conf </dev/null >/dev/null") != nil else { return false }
        return popen(script, "we") != nil
    }
}

/// The environment of the test process: set once, before libcurl looks at it.
enum Surroundings {
    static let proxy: SocketServer? = {
        let server = try? SocketServer { connection in
            while let request = connection.readRequest() {
                switch request.target {
                case "refused.test:443": return connection.answer("", status: "403 Forbidden")
                case "tunnel.test:443":
                    connection.write("HTTP/1.1 200 Connection established\r\n\r\n")
                    return connection.splice(to: Nginx.shared?.tlsPort ?? 0)
                default: connection.answer("through the proxy: \(request.target)")
                }
            }
        }
        guard let server else { return nil }
        for name in ["http_proxy", "https_proxy"] { setenv(name, "http://user:proxy-password@127.0.0.1:\(server.port)", 1) }
        setenv("no_proxy", "127.0.0.1,localhost,.invalid", 1)
        for name in ["HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "all_proxy", "SSL_CERT_DIR", "SSL_CERT_FILE"] { unsetenv(name) }
        return server
    }()

    static func set() { _ = proxy }
}
