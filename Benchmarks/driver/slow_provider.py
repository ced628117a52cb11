"""Row 3: a no-op pass when every answer of the provider takes 40 ms."""
import math

from delay import Slow
from measure import Spread, duration, stopwatch, rounds, times
from rows import COUNT, fleet
from table import Line

ROUND_TRIP = 0.040
STREAMS = 128  # At once on one connection: what nginx allows.


def rows(here, python, count):
    spec, _ = fleet(here, COUNT, ["--once"])
    with Slow(int(here.server.tls.rpartition(":")[2]), ROUND_TRIP) as slow:
        environment = here.environment(f"https://localhost:{slow.port}", SSL_CERT_DIR=here.server.authorities)
        ours = stopwatch(here.floor, "reconcile --once", [here.reconcile, "--once", "-f", spec], environment)
        rounds([ours], count)
    least = math.ceil(COUNT / STREAMS) * ROUND_TRIP * 1e9
    ratio = Spread([time / least for time in ours.times()])
    yield Line(
        "3", f"the no-op pass of row 1 over HTTP/2, {ROUND_TRIP * 1000:g} ms a round trip", times(ours),
        f"⌈{COUNT} / {STREAMS}⌉ × {ROUND_TRIP * 1000:g} ms = {duration(least)}", ratio.text(), f"{ratio.least:.2f}", "≤ 1.3", ratio.median <= 1.3)
