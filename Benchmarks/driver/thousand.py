"""Row 15: a no-op resync of a thousand systems (BELAY_BENCH_SYSTEMS: of another number) of five components on the sandbox, next to its bare requests over the same transport."""
import os
import re

from calls import PROJECT, WORKLOAD, Sandbox, writes
from measure import Spread, rounds, stopwatch
from rows import reconcile
from table import Line, ratio

# Of providers that do not limit reads by the minute: with Render the row would measure its limit.
COUNT = int(os.environ.get("BELAY_BENCH_SYSTEMS", "1000"))
AT_ONCE = 16  # As many connections a host as Belay's own transport makes.
SYSTEM = """\
apiVersion: belay.dev/v1alpha1
kind: System
metadata:
  name: shop-{n}
spec:
  components:
    web: {{vercel: {{project: web-{n}, team: acme}}, release: dpl_web{n}b, after: [api]}}
    api: {{kubernetes: {{namespace: prod, deployment: api-{n}, container: api}}, release: v2}}
    worker: {{kubernetes: {{namespace: prod, deployment: api-w{n}, container: api}}, release: v2, after: [api]}}
    docs: {{vercel: {{project: web-d{n}, team: acme}}, release: dpl_webd{n}b}}
    blog: {{vercel: {{project: web-b{n}, team: acme}}, release: dpl_webb{n}b}}
"""


def write_world(path):
    numbers = range(COUNT)
    with open(path, "w") as file:
        file.write("apiVersion: sandbox.belay.dev/v1alpha1\nkind: World\nvercel:\n  projects:\n")
        file.write("".join(PROJECT.format(n=f"{kind}{number}") for number in numbers for kind in ("", "d", "b")))
        file.write("kubernetes:\n  rolloutSeconds: 1\n  workloads:\n")
        file.write("".join(WORKLOAD.format(n=number) + WORKLOAD.format(n=f"w{number}") for number in numbers))


def addresses(variables):
    """Where each vendor answers, and with which token."""
    kubeconfig = open(variables["KUBECONFIG"]).read()
    return {
        "vercel": (variables["VERCEL_API_URL"], variables["VERCEL_TOKEN"]),
        "kubernetes": (re.search(r'server: "([^"]+)"', kubeconfig).group(1), re.search(r'token: "([^"]+)"', kubeconfig).group(1)),
    }


def rows(here, python, count):
    world, folder = f"{here.folder}/thousand.yaml", f"{here.folder}/thousand"
    write_world(world)
    os.makedirs(folder)
    for number in range(COUNT):
        with open(f"{folder}/shop-{number:04}.yaml", "w") as file:
            file.write(SYSTEM.format(n=number))
    with Sandbox(here, world, patience=1200) as sandbox:
        environment = {**here.environment(""), **sandbox.variables}
        pass_over_all = ["--once", "--timeout", "10m", "-f", folder]
        reconcile(here, pass_over_all, environment)
        sandbox.requests()
        reconcile(here, pass_over_all, environment)
        made = sandbox.requests()
        places = addresses(sandbox.variables)
        list_of_requests = f"{here.folder}/thousand.requests"
        with open(list_of_requests, "w") as file:
            for request in made:
                base, token = places[request["simulator"]]
                file.write(f"{token} {base}{request['path']}\n")
        ours = stopwatch(here.floor, "reconcile --once", [here.reconcile, *pass_over_all], environment)
        bare = stopwatch(here.floor, "the bare requests", [here.bench, "requests", list_of_requests, AT_ONCE, 1], environment)
        rounds([ours, bare], max(3, count // 5))
    what = f"no-op resync of {COUNT} systems of five components"
    yield ratio("15", f"{what}, whole process", ours, bare, 1.5)
    cpu, least = Spread(ours.times(field=1)), Spread(bare.times(field=1))
    yield Line(
        "15", "CPU of that", f"{cpu.median / 1e9:.2f} s", f"{bare.name}: {least.median / 1e9:.2f} s", f"{cpu.median / least.median:.2f}", "", "–", None)
    memory = Spread([kilobytes / 1024 for kilobytes in ours.times(field=2)])
    yield Line("15", "memory of that", f"{memory.median:.0f} MB at most", "", "", "", "≤ 128 MB", memory.median <= 128)
    yield Line(
        "15", "requests of that", f"{len(made) - writes(made)} reads, {writes(made)} writes", f"{5 * COUNT} reads, 0 writes",
        f"{len(made) / (5 * COUNT):.3f}", "", "exactly 1", (len(made), writes(made)) == (5 * COUNT, 0))
