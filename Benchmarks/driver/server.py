"""nginx on loopback in the part of the providers: every answer costs every client the same."""
import os
import shutil
import signal
import socket
import subprocess
import time

import cluster

# What a settled project of Vercel's GET /v9/projects/{name} says, where Belay, the floor and the peers read it.
PROJECT = (
    '{"id":"prj_$number","name":"web-$number","accountId":"team_acme","createdAt":1760000000000,"updatedAt":1760000000000,'
    '"framework":"nextjs","nodeVersion":"22.x","autoAssignCustomDomains":true,"lastAliasRequest":null,"rollbackDescription":null,'
    '"live":true,"paused":false,"directoryListing":false,"crons":null,"rollingRelease":null,'
    '"link":{"type":"github","org":"acme","repo":"web-$number","repoId":1000,"productionBranch":"main","deployHooks":[]},'
    '"alias":[{"domain":"web-$number.example.com","target":"PRODUCTION","environment":"production","redirect":null,'
    '"configuredBy":"A","createdAt":1760000000000,"deployment":{"id":"dpl_$number","url":"web-$number-acme.vercel.app"}}],'
    '"targets":{"production":{"id":"dpl_$number","name":"web-$number","url":"web-$number-acme.vercel.app","type":"LAMBDAS","plan":"pro",'
    '"target":"production","readyState":"READY","readySubstate":"PROMOTED","createdAt":1760000000000,"buildingAt":1760000001000,'
    '"readyAt":1760000060000,"aliasAssigned":1760000061000,"aliasError":null,"creator":{"uid":"u1","username":"ada","email":"ada@example.com"},'
    '"alias":["web-$number.example.com","web-$number.vercel.app"],"meta":{"githubCommitRef":"main","githubCommitAuthorName":"ada",'
    '"githubCommitSha":"3f2c1ab09d4e5f60718293a4b5c6d7e8f9012345","githubCommitMessage":"Count listens once"}}},"latestDeployments":[]}'
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """Three listeners with the same answers: `plain`, `counted` (writes an access log) and `tls`."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder)
        ports = {name: free_port() for name in ("plain", "counted", "tls")}
        self.plain = f"http://127.0.0.1:{ports['plain']}"
        self.counted = f"http://127.0.0.1:{ports['counted']}"
        self.tls = f"https://localhost:{ports['tls']}"
        self._certificates()
        temporary = " ".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        answers = f"""
            default_type application/json;
            location ~ ^/v9/projects/web-(?<number>[0-9]+)$ {{ return 200 '{PROJECT}'; }}
            {cluster.locations(folder)}
            location / {{ return 404 '{{"error":{{"code":"not_found","message":"not in this benchmark"}}}}'; }}"""
        with open(f"{folder}/nginx.conf", "w") as file:
            file.write(f"""
        {"user root;" if os.getuid() == 0 else ""} worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; daemon off;
        events {{ worker_connections 4096; }}
        http {{
            {temporary} access_log off; keepalive_requests 10000000; keepalive_timeout 1h;
            {cluster.mappings()}
            log_format line '$request_method $request_uri $status';
            ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
            server {{ listen 127.0.0.1:{ports['plain']} backlog=4096; {answers} }}
            server {{ listen 127.0.0.1:{ports['counted']}; access_log {folder}/access.log line; {answers} }}
            server {{ listen 127.0.0.1:{ports['tls']} ssl http2; {answers} }}
        }}""")
        path = os.environ["PATH"] + ":/usr/sbin"
        self.process = subprocess.Popen(
            [shutil.which("nginx", path=path) or "nginx", "-p", folder, "-c", f"{folder}/nginx.conf"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        for port in ports.values():
            self._await(port)

    def requests(self):
        """The lines `METHOD URI STATUS` of the counted listener since the last call."""
        self.process.send_signal(signal.SIGUSR1)  # Reopens the log, so that everything is in the file.
        path = f"{self.folder}/access.log"
        with open(path) as file:
            lines = file.read().splitlines()
        os.truncate(path, 0)
        return lines

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def _await(self, port):
        for _ in range(500):
            if self.process.poll() is not None:
                raise SystemExit(f"nginx ended at its start; see {self.folder}/error.log")
            with socket.socket() as probe:
                probe.settimeout(0.2)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.01)
        raise SystemExit("nginx does not listen after five seconds")

    def _certificates(self):
        """An authority of our own among the system's, in a hashed directory: what a first TLS connection costs depends on their number."""
        subprocess.run(["sh", "-ec", """
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -subj "/CN=Belay bench" -out ca.pem
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -subj "/CN=localhost" -out server.csr
            echo subjectAltName=DNS:localhost > server.ext
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile server.ext -days 2 -out server.pem
            mkdir authorities
            cp -P /etc/ssl/certs/*.0 authorities/
            cp /etc/ssl/certs/*.pem authorities/ 2>/dev/null || true
            cp ca.pem authorities/$(openssl x509 -hash -noout -in ca.pem).0
        """], cwd=self.folder, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.authorities = f"{self.folder}/authorities"
