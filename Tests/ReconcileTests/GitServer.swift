import TestPrograms
import Testing

/// Repositories of a place behind git's own HTTP server, which asks for a password first.
enum GitServer {
    static let token = "a-token-of-git"

    /// - Parameters:
    ///   - certificate: a file that the server's certificate is written to, for git to trust; nil for a server that speaks in clear.
    ///   - body: gets `http://127.0.0.1:PORT`, or `https://` with a certificate.
    static func serving(
        _ place: Place, certificate: String? = nil, _ body: @Sendable (_ address: String) async throws -> Void
    ) async throws {
        try place.write("server.py", script)
        var arguments = [place.path("server.py"), place.root, place.path("port")]
        if let certificate {
            let made = try await BuiltProgram(onSearchPath: "openssl").run([
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=git",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", place.path("server.key"), "-out", certificate,
            ])
            try #require(made.status == 0, "\(made.errors)")
            arguments += [certificate, place.path("server.key")]
        }
        _ = try await BuiltProgram(onSearchPath: "python3").run(arguments) {
            let start = ContinuousClock.now
            while ((try? place.read("port")) ?? "").isEmpty {
                try #require(ContinuousClock.now - start < .seconds(20), "the server does not listen")
                try await Task.sleep(for: .milliseconds(20))
            }
            try await body("\(certificate == nil ? "http" : "https")://127.0.0.1:\(try place.read("port"))")
        }
    }

    private static let script = """
        import base64, http.server, os, ssl, subprocess, sys
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.headers.get("Authorization", "") != "Basic " + base64.b64encode(b"belay:a-token-of-git").decode():
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", "Basic realm=git")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                path, _, query = self.path.partition("?")
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                variables = dict(os.environ, GIT_PROJECT_ROOT=sys.argv[1], GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path, QUERY_STRING=query,
                    REQUEST_METHOD=self.command, CONTENT_TYPE=self.headers.get("Content-Type") or "", REMOTE_USER="belay",
                    HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding") or "", GIT_PROTOCOL=self.headers.get("Git-Protocol") or "")
                answer = subprocess.run(["git", "http-backend"], input=body, env=variables, stdout=subprocess.PIPE).stdout
                head, _, content = answer.partition(b"\\r\\n\\r\\n")
                lines = [line.split(": ", 1) for line in head.decode().split("\\r\\n")]
                self.send_response(next((int(value[:3]) for name, value in lines if name == "Status"), 200))
                for name, value in lines:
                    if name not in ("Status", "Content-Length"): self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            do_POST = do_GET
            def log_message(self, *arguments): pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if len(sys.argv) > 3:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[3], sys.argv[4])
            server.socket = context.wrap_socket(server.socket, server_side=True)
        open(sys.argv[2], "w").write(str(server.server_address[1]))
        server.serve_forever()
        """
}
