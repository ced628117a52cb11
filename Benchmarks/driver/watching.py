"""Rows 8, 9 and 10: the loop while it only watches: its memory, what it costs when nothing happens, and how fast it notices a change."""
import os
import re
import signal
import socket
import subprocess
import threading
import time

import specs
from measure import Spread, duration
from rows import fleet
from server import PROJECT, free_port
from table import Line

FEW, MANY = 1000, 3000
QUIET = 30  # Seconds of looking at a loop that has nothing to do.
CHANGES = 200


class Watch:
    """`reconcile` without `--once`, with its HTTP server on, until the end of the `with`."""

    def __init__(self, here, spec, environment):
        self.log = f"{here.folder}/watch.log"
        # What is measured is watching: nobody looks again by the clock in this time.
        self.address = f"127.0.0.1:{free_port()}"
        self.command = [here.reconcile, "-f", spec, "--resync", "1h", "--listen", self.address]
        self.environment = environment
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=open(self.log, "w"), stderr=subprocess.STDOUT)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(timeout=60) != 0:
            raise SystemExit(f"the loop ended with {self.process.returncode}\n{open(self.log).read()[-2000:]}")

    def until(self, text):
        for _ in range(6000):
            if text in open(self.log).read():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise SystemExit(f"the loop never said {text!r}\n{open(self.log).read()[-2000:]}")

    def resident(self):
        """In bytes."""
        return 1024 * int(self.status("VmRSS"))

    def threads(self):
        """Of each thread, its CPU time in seconds as the scheduler counts it, and how often it woke up."""
        found = {}
        for task in os.listdir(self.place("task")):
            try:
                cpu = int(open(self.place(f"task/{task}/schedstat")).read().split()[0]) / 1e9
                found[task] = cpu, int(self.status("voluntary_ctxt_switches", f"task/{task}/status"))
            except FileNotFoundError:
                pass  # It has ended.
        return found

    def status(self, field, file="status"):
        return re.search(rf"^{field}:\s+(\d+)", open(self.place(file)).read(), re.M).group(1)

    def place(self, file):
        return f"/proc/{self.process.pid}/{file}"


def rows(here, python, count):
    watched = here.environment(here.server.plain)
    sizes = {}
    for size in (FEW, MANY):
        spec, _ = fleet(here, size, ["--once"])
        with Watch(here, spec, watched) as watch:
            watch.until("in sync")
            time.sleep(4)
            sizes[size] = watch.resident()
            if size == FEW:
                idle = quiet(watch)
    yield Line(
        "8", f"memory watching {FEW} components, server on", f"{sizes[FEW] / 1e6:.1f} MB resident", "", "", "", "≤ 40 MB", sizes[FEW] <= 40e6)
    each = (sizes[MANY] - sizes[FEW]) / (MANY - FEW)
    yield Line("8", "memory of each further component", f"{each / 1000:.2f} KB", f"from {FEW} to {MANY}", "", "", "≤ 2 KB", each <= 2000)
    yield from idle
    yield from latency(here)


def quiet(watch):
    # What a first pass has begun is over then.
    time.sleep(10)
    before = watch.threads()
    time.sleep(QUIET)
    after = watch.threads()
    # Threads of a pool come and go; one that is new has done all of its work since.
    spent = [(cpu - before.get(task, (0, 0))[0], count - before.get(task, (0, 0))[1]) for task, (cpu, count) in after.items()]
    share, wakeups = sum(cpu for cpu, _ in spent) / QUIET, sum(count for _, count in spent) / QUIET
    return [
        Line("9", f"CPU of a loop that only watches, over {QUIET} s", f"{100 * share:.4f} % of a core", "", "", "", "≤ 0.05 %", share <= 0.0005),
        Line("9", "how often it wakes up", f"{wakeups:.2f} a second", "", "", "", "≤ 1 a second", wakeups <= 1),
    ]


class Provider:
    """Answers like the server of the other rows, and notes when the first byte of each request came."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.arrivals = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        body = PROJECT.replace("$number", "0").encode()
        answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        head = b""
        while data := connection.recv(65536):
            if not head:
                self.arrivals.append(time.monotonic_ns())
            head += data
            if b"\r\n\r\n" in head:
                head = b""
                connection.sendall(answer)

    def await_arrival(self, after):
        for _ in range(100_000):
            if self.arrivals and self.arrivals[-1] >= after:
                return next(arrival for arrival in self.arrivals if arrival >= after)
            time.sleep(0.0001)
        raise SystemExit("ten seconds after a change no request has come")


def latency(here):
    """From the renaming of a spec file into place to the first byte of a request to the provider."""
    provider = Provider()
    folder = f"{here.folder}/renamed"
    os.makedirs(folder)
    spec, ready = f"{folder}/fleet.yaml", f"{here.folder}/ready.yaml"
    specs.write_fleet(spec, 1)
    text = open(spec).read().replace("fleet-1", "renamed")
    environment = here.environment(provider.url)
    with open(spec, "w") as file:
        file.write(text)
    times = []
    with Watch(here, folder, environment) as watch:
        watch.until("in sync")
        for number in range(CHANGES):
            with open(ready, "w") as file:
                file.write(f"{text}# {number}\n")
            # The pass before is over, and what it woke up sleeps again.
            time.sleep(0.1)
            begun = time.monotonic_ns()
            os.rename(ready, spec)
            times.append(provider.await_arrival(begun) - begun)
    times.sort()
    spread = Spread(times)
    late = times[int(len(times) * 0.99) - 1]
    yield Line(
        "10", f"file renamed into place → first byte at the provider, {CHANGES} times", f"p50 {duration(spread.median)}, p99 {duration(late)}",
        f"least {duration(spread.least)}", "", "", "p50 ≤ 1 ms, p99 ≤ 5 ms", spread.median <= 1e6 and late <= 5e6)
