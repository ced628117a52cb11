"""A PostgreSQL server for one run of the benchmarks, on a port of its own."""
import glob
import os
import pwd
import shutil
import socket
import subprocess
import time


def programs():
    """Where the server's programs are; Debian keeps them off the search path."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"), key=lambda path: int(path.split("/")[4]))
    return os.path.dirname(found[-1]) if found else None


def is_available():
    return programs() is not None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, folder):
        self.port = free_port()
        self.data = f"{folder}/data"
        self.log = f"{folder}/log"
        os.makedirs(folder)
        # The server refuses to run as root.
        self.user = pwd.getpwnam("postgres").pw_name if os.getuid() == 0 else None
        if self.user:
            shutil.chown(folder, self.user)
            os.chmod(os.path.dirname(folder), 0o755)

    def command(self, name, *arguments):
        prefix = ["runuser", "-u", self.user, "--"] if self.user else []
        return [*prefix, f"{programs()}/{name}", *arguments]

    def __enter__(self):
        subprocess.run(
            self.command("initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "--no-sync"), check=True, stdout=subprocess.DEVNULL)
        options = f"-p {self.port} -h 127.0.0.1 -k '' -c log_min_duration_statement=-1 -c log_line_prefix='%a '"
        subprocess.run(self.command("pg_ctl", "-D", self.data, "-l", self.log, "-o", options, "-w", "start"), check=True, stdout=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        subprocess.run(self.command("pg_ctl", "-D", self.data, "-m", "immediate", "stop"), stdout=subprocess.DEVNULL)

    def url(self, database, port=None):
        """With another port, the way to the server that begins there."""
        return f"postgres://postgres@127.0.0.1:{port or self.port}/{database}"

    def ask(self, sql, database="postgres"):
        done = subprocess.run(["psql", "-qXAt", "-d", self.url(database), "-c", sql], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def remake(self, database):
        self.ask(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        self.ask(f"CREATE DATABASE {database}")

    def statements(self, work):
        """How many statements reach the server while `work` runs."""
        self.ask("ALTER SYSTEM SET log_statement = 'all'")
        self.ask("SELECT pg_reload_conf()")
        time.sleep(0.3)
        before = os.path.getsize(self.log)
        work()
        with open(self.log) as file:
            file.seek(before)
            lines = [line for line in file if "LOG:  statement: " in line or "LOG:  execute " in line]
        self.ask("ALTER SYSTEM RESET log_statement")
        self.ask("SELECT pg_reload_conf()")
        return len(lines)
