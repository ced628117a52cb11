"""Row 2, and what row 4 and row 12 say of it: a no-op pass over the Deployments of one namespace, which come with its list."""
import math

import cluster
import specs
from measure import Spread, rounds, stopwatch, times
from rows import COUNT, HANDLES, kopf, reconcile
from surroundings import TOKEN
from table import Line, ratio

MANY = 10_000


class Fleet:
    """A settled namespace with its baseline recorded, and the requests that a pass over it then makes."""

    def __init__(self, here, count):
        self.count = count
        cluster.write_lists(here.server.folder, count)
        self.spec = f"{here.folder}/workloads-{count}.yaml"
        specs.write_workloads(self.spec, count)
        counted = here.environment("", KUBECONFIG=cluster.kubeconfig(here, here.server.counted))
        self.plain = here.environment("", KUBECONFIG=cluster.kubeconfig(here, here.server.plain))
        self.command = [here.reconcile, "--once", "-f", self.spec]
        reconcile(here, ["--once", "-f", self.spec], counted)
        here.server.requests()
        reconcile(here, ["--once", "-f", self.spec], counted)
        self.requests = here.server.requests()
        self.ours = stopwatch(here.floor, "reconcile --once", self.command, self.plain)
        urls = here.urls(here.server.plain, self.requests)
        self.floor = stopwatch(here.floor, "C: events + the same pages", [here.floor, "gets", self.spec, urls, TOKEN, HANDLES])

    @property
    def calls(self):
        reads = sum(line.startswith("GET ") for line in self.requests)
        writes, least = len(self.requests) - reads, math.ceil(self.count / cluster.PAGE)
        return Line(
            "12", f"requests of a no-op pass, {self.count} components listed", f"{reads} reads, {writes} writes",
            f"minimum: ⌈{self.count} / {cluster.PAGE}⌉ = {least} reads, 0 writes", f"{len(self.requests) / least:.3f}", "", "exactly 1",
            (reads, writes) == (least, 0))

    @property
    def cpu(self):
        each = Spread([nanoseconds / self.count / 1000 for nanoseconds in self.ours.times(field=1)])
        floor = Spread(self.floor.times(field=1)).median / self.count / 1000
        return Line(
            "4", f"CPU per component of a pass over {self.count} listed", f"{each.median:.1f} µs (min {each.least:.1f} µs)",
            f"{self.floor.name}: {floor:.1f} µs", each.text(1) + " µs", f"{each.least:.1f} µs", "≤ 30 µs", each.median <= 30)


def rows(here, python, count):
    few, many = Fleet(here, COUNT), Fleet(here, MANY)
    with kopf(here, python) as peer:
        rounds([few.ours, few.floor, *([peer] if peer else [])], count)
    rounds([many.ours, many.floor], max(3, count // 3))
    yield few.calls
    yield many.calls
    what = f"no-op reconcile, {COUNT} components, listed, whole process"
    if peer:
        yield ratio("2", what, few.ours, peer, 0.02)
    yield ratio("2", "for comparison: that", few.ours, few.floor)
    spread = Spread(many.ours.times())
    yield Line(
        "2", f"no-op reconcile, {MANY} components, listed, whole process", times(many.ours), f"{many.floor.name}: {times(many.floor)}",
        Spread.ratio(many.ours.times(), many.floor.times()).text(), f"{spread.least / 1e9:.2f} s", "≤ 0.25 s", spread.median <= 0.25e9)
    yield few.cpu
    yield many.cpu
