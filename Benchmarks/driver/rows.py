"""The measured rows. Each is a function from surroundings to lines of the table."""
import contextlib
import os
import shutil
import subprocess

import specs
from measure import Contender, Spread, rounds, stopwatch, times
from surroundings import HERE, TOKEN
from table import Line, ratio

COUNT = 1000
HANDLES = 16  # The fastest of 1 to 64 for a thousand requests over HTTP/1.1.


def reconcile(here, arguments, environment, expected=0):
    done = subprocess.run([here.reconcile, *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if done.returncode != expected:
        raise SystemExit(f"reconcile {' '.join(arguments)} ended with {done.returncode}\n{done.stdout[-1000:]}{done.stderr[-2000:]}")


def fleet(here, count, arguments):
    """A spec of `count` settled components with its baseline recorded, and the requests that the program then makes with `arguments`."""
    spec = f"{here.folder}/fleet-{count}.yaml"
    specs.write_fleet(spec, count)
    counted = here.environment(here.server.counted)
    reconcile(here, ["--once", "-f", spec], counted)
    here.server.requests()
    reconcile(here, [*arguments, "-f", spec], counted)
    return spec, here.server.requests()


@contextlib.contextmanager
def kopf(here, python):
    """A pass of a kopf operator over COUNT objects, a GET each, and its API; nil without the peers."""
    if not python:
        yield None
        return
    api = subprocess.Popen([python, f"{HERE}/peers/fake_api.py", str(COUNT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        port = api.stdout.readline().strip()
        yield Contender("kopf", [python, f"{HERE}/peers/kopf_pass.py", f"http://127.0.0.1:{port}", here.server.plain, COUNT], field=0)
    finally:
        api.stdin.close()
        api.wait()


def no_op(here, python, count):
    """Rows 1, 4 and 12."""
    spec, requests = fleet(here, COUNT, ["--once"])
    reads = sum(line.startswith("GET ") for line in requests)
    writes = len(requests) - reads
    yield Line(
        "12", f"requests of a no-op pass, {COUNT} components", f"{reads} reads, {writes} writes", f"minimum: {COUNT} reads, 0 writes",
        f"{len(requests) / COUNT:.3f}", "", "exactly 1", (reads, writes) == (COUNT, 0))
    ours = stopwatch(here.floor, "reconcile --once", [here.reconcile, "--once", "-f", spec], here.environment(here.server.plain))
    urls = here.urls(here.server.plain, requests)
    floor = stopwatch(here.floor, "C: events + curl multi", [here.floor, "gets", spec, urls, TOKEN, HANDLES])
    with kopf(here, python) as peer:
        rounds([ours, floor, *([peer] if peer else [])], count)
    what = f"no-op reconcile, {COUNT} components, a GET each, whole process"
    yield ratio("1", what, ours, floor, 1.3)
    if peer:
        yield ratio("1", what, ours, peer, 0.05)
        yield ratio("1", "for comparison: that whole process, kopf's pass without its start", ours, peer, field=1)
    cpu = Spread([nanoseconds / COUNT / 1000 for nanoseconds in ours.times(field=1)])
    yield Line(
        "4", "CPU per component of that pass", f"{cpu.median:.1f} µs (min {cpu.least:.1f} µs)",
        f"C: {Spread(floor.times(field=1)).median / COUNT / 1000:.1f} µs", cpu.text(1) + " µs", f"{cpu.least:.1f} µs", "≤ 60 µs", cpu.median <= 60)


def plan(here, python, count):
    """Row 5."""
    size = 10_000
    floor = Contender("C: digest compare", [here.floor, "digests", size, 5])
    cases = [(0, 1.0), (size // 200, 2.0)]
    ours = [Contender(f"plan, {changed} changed", [here.bench, "plan", size, changed, 5]) for changed, _ in cases]
    rounds([*ours, floor], count)
    for contender, (changed, goal) in zip(ours, cases):
        each = Spread([nanoseconds / size / 1000 for nanoseconds in contender.times()])
        yield Line(
            "5", f"plan, {size} components, {100 * changed / size:g} % changed, each", f"{each.median:.3f} µs (min {each.least:.3f} µs)",
            f"{floor.name}: {Spread(floor.times()).median / size:.1f} ns", each.text() + " µs", f"{each.least:.2f} µs", f"≤ {goal:g} µs",
            each.median <= goal)


def read_specs(here, python, count):
    """Row 6."""
    folder = f"{here.folder}/specs"
    specs.write_files(folder, COUNT)
    size = os.path.getsize(f"{folder}/system-00000.yaml")
    ours = Contender("load", [here.bench, "specs", folder, 3])
    floor = Contender("C: libyaml events", [here.floor, "events", folder, 3])
    contenders = [ours, floor]
    if python:
        pyyaml = Contender("PyYAML, C loader", [python, f"{HERE}/peers/pyyaml_load.py", folder, 1])
        contenders.append(pyyaml)
    rounds(contenders, count)
    what = f"parse and validate {COUNT} files of {size} bytes, positions kept"
    yield ratio("6", what, ours, floor, 1.75)
    if python:
        yield ratio("6", what, ours, pyyaml, 0.08)


def cold_start(here, python, count):
    """Row 7."""
    spec, requests = fleet(here, 2, ["plan"])
    tree = f"{here.folder}/tree"
    subprocess.run(["git", "init", "-q", tree], check=True)
    shutil.copy(spec, tree)
    commit = ["-c", "user.name=bench", "-c", "user.email=bench@example.com", "commit", "-q", "-m", "Pin"]
    subprocess.run(["git", "-C", tree, "add", "."], check=True)
    subprocess.run(["git", "-C", tree, *commit], check=True)

    def plan_of(folder, name, environment):
        return stopwatch(here.floor, name, [here.reconcile, "plan", "-f", f"{folder}/fleet-2.yaml"], environment)

    def gets(base, name, environment=None):
        return stopwatch(here.floor, name, [here.floor, "gets", spec, here.urls(base, requests), TOKEN, HANDLES], environment)

    over_http = here.environment(here.server.plain)
    over_tls = here.environment(here.server.tls, SSL_CERT_DIR=here.server.authorities)
    plain, tls = plan_of(here.folder, "plan", over_http), plan_of(here.folder, "plan, TLS", over_tls)
    in_git = plan_of(tree, "plan in Git", over_http)
    floor, floor_tls = gets(here.server.plain, "C"), gets(here.server.tls, "C, TLS", over_tls)
    usage = stopwatch(here.floor, "reconcile --help", [here.reconcile, "--help"], over_http)
    rounds([plain, tls, in_git, floor, floor_tls, usage], count)
    yield ratio("7", f"cold start: reconcile plan, two components, {len(requests)} requests", plain, floor, 1.25)
    more = Spread([(with_tls - without) / 1e6 for with_tls, without in zip(tls.times(), plain.times())])
    least = (min(tls.times()) - min(plain.times())) / 1e6
    yield Line(
        "7", "what TLS with the system's authorities adds", times(tls), f"without TLS: {times(plain)}", more.text(1) + " ms",
        f"{least:.1f} ms", "≤ 6 ms", more.median <= 6)
    yield ratio("7", "for comparison: both with TLS", tls, floor_tls)
    yield ratio("7", "for comparison: the spec in a Git work tree, whose revision the git program tells", in_git, floor)
    yield ratio("7", "for comparison: reconcile --help", usage, floor)


ROWS = {"1": no_op, "5": plan, "6": read_specs, "7": cold_start}
