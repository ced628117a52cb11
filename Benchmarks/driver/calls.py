"""Row 12: the calls that reach the providers, counted by the sandbox."""
import json
import os
import re
import subprocess
import time
import urllib.request

from rows import reconcile
from table import Line

COUNT = 10  # Of each provider.
CHANGED = 2  # Of each provider.
WORLD = """\
apiVersion: sandbox.belay.dev/v1alpha1
kind: World
vercel:
  projects:
"""
PROJECT = """\
    - name: web-{n}
      team: acme
      production: dpl_web{n}b
      seconds: {{queue: 1, build: 1, assign: 1, pending: 1, job: 1}}
      deployments:
        - {{id: dpl_web{n}a, minutesAgo: 1500, target: production, state: READY}}
        - {{id: dpl_web{n}b, minutesAgo: 30, target: production, state: READY}}
"""
WORKLOAD = """\
    - namespace: prod
      kind: Deployment
      name: api-{n}
      replicas: 1
      containers: [{{name: api}}]
      history: [{{image: "registry.example.com/api:v1"}}, {{image: "registry.example.com/api:v2"}}]
"""
SPEC = "apiVersion: belay.dev/v1alpha1\nkind: System\nmetadata:\n  name: calls\nspec:\n  components:\n"
WEB = "    web-{n}:\n      vercel: {{project: web-{n}, team: acme}}\n      release: dpl_web{n}{release}\n"
API = "    api-{n}:\n      kubernetes: {{namespace: prod, deployment: api-{n}, container: api}}\n      release: v{release}\n"


class Sandbox:
    """The simulated providers, until the end of the `with`."""

    def __init__(self, here, world, patience=10):
        """Waits so many seconds for it to hold its world."""
        self.variables = {}
        file = f"{here.folder}/sandbox.env"
        self.process = subprocess.Popen(
            [f"{here.programs}/belay-sandbox", "--world", world, "--env-file", file, "--speed", "50"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100 * patience):
            if os.path.exists(file) or self.process.poll() is not None:
                break
            time.sleep(0.01)
        else:
            raise SystemExit(f"belay-sandbox did not write its variables within {patience} s")
        if self.process.poll() is not None:
            raise SystemExit(f"belay-sandbox ended at its start with {self.process.returncode}")
        with open(file) as lines:
            for name, value in re.findall(r"^export (\w+)='?([^'\n]*)'?$", lines.read(), re.M):
                self.variables[name] = value
        self.seen = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def requests(self):
        """Those since the last call."""
        with urllib.request.urlopen(self.variables["VERCEL_API_URL"] + "/_sandbox/requests") as answer:
            found = json.load(answer)
        new = [request for request in found["requests"] if request["number"] > self.seen]
        self.seen = max([self.seen, *(request["number"] for request in new)])
        return new


def write_spec(path, changed):
    with open(path, "w") as file:
        file.write(SPEC)
        for number in range(COUNT):
            file.write(WEB.format(n=number, release="a" if number < changed else "b"))
            file.write(API.format(n=number, release="1" if number < changed else "2"))


def lines(here, python, count):
    """Nothing is timed: a count needs one run."""
    if not os.access(f"{here.programs}/belay-sandbox", os.X_OK):
        print("belay-sandbox is not built; its counts are left out")
        return
    world, spec = f"{here.folder}/world.yaml", f"{here.folder}/calls.yaml"
    with open(world, "w") as file:
        file.write(WORLD + "".join(PROJECT.format(n=number) for number in range(COUNT)))
        file.write("kubernetes:\n  rolloutSeconds: 1\n  workloads:\n" + "".join(WORKLOAD.format(n=number) for number in range(COUNT)))
    write_spec(spec, 0)
    with Sandbox(here, world) as sandbox:
        environment = {**here.environment(""), **sandbox.variables}
        reconcile(here, ["--once", "-f", spec], environment)
        sandbox.requests()
        reconcile(here, ["--once", "-f", spec], environment)
        yield from no_op(sandbox.requests())
        write_spec(spec, CHANGED)
        reconcile(here, ["--once", "-f", spec], environment)
        made = writes(sandbox.requests())
        minimum = 3 * CHANGED  # one each, and Vercel's automation is switched off before
        yield Line(
            "12", f"writes of a rollback of {CHANGED} of {COUNT} components of each provider", str(made), f"minimum: {minimum}",
            f"{made / minimum:.3f}", "", "exactly 1", made == minimum)


def writes(requests):
    return sum(request["method"] != "GET" for request in requests)


def no_op(requests):
    # Workloads of one namespace come with one page of its list.
    for vendor, least in (("vercel", COUNT), ("kubernetes", 1)):
        own = [request for request in requests if request["simulator"] == vendor]
        reads, made = len(own) - writes(own), writes(own)
        yield Line(
            "12", f"requests of a no-op pass, {COUNT} components, simulated {vendor}", f"{reads} reads, {made} writes",
            f"minimum: {counted(least, 'read')}, 0 writes", f"{len(own) / least:.3f}", "", "exactly 1", (reads, made) == (least, 0))


def counted(number, noun):
    return f"{number} {noun}{'' if number == 1 else 's'}"
