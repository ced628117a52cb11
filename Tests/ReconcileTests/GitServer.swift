import TestPrograms
import Testing

/// Repositories of a place behind git's own HTTP server, which asks for a password first.
enum GitServer {
    static let token = "a-token-of-git"

    /// - Parameter body: gets `http://127.0.0.1:PORT`.
    static func serving(_ place: Place, _ body: @Sendable (_ address: String) async throws -> Void) async throws {
        try place.write("server.py", script)
        _ = try await BuiltProgram(onSearchPath: "python3").run([place.path("server.py"), place.root, place.path("port")]) {
            let start = ContinuousClock.now
            while ((try? place.read("port")) ?? "").isEmpty {
                try #require(ContinuousClock.now - start < .seconds(20), "the server does not listen")
                try await Task.sleep(for: .milliseconds(20))
            }
            try await body("http://127.0.0.1:\(try place.read("port"))")
        }
    }

    private static let script = """
        import base64, http.server, os, subprocess, sys
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.headers.get("Authorization", "") != "Basic " + base64.b64encode(b"belay:a-token-of-git").decode():
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", "Basic realm=git")
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
                    if name != "Status": self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
            do_POST = do_GET
            def log_message(self, *arguments): pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        open(sys.argv[2], "w").write(str(server.server_address[1]))
        server.serve_forever()
        """
}
