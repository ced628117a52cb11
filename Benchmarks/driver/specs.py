"""The spec files that are measured."""
import os

FILE = """\
apiVersion: belay.dev/v1alpha1
kind: System
metadata:
  name: podcast-analytics-{n}
spec:
  components:
    web:
      vercel: {{project: podcast-web-{n}, team: acme}}
      release: dpl_7HxQ2m                       # the pin
      after: [api]                              # needs api to be served first when going forward
      verify:
        - http: {{url: https://podcast.example.com/healthz, status: 200, within: 60s}}
    api:
      kubernetes: {{namespace: prod, deployment: backend-{n}, container: api}}
      release: v1.41.3
      verify:
        - http:
            url: https://api.example.com/version
            json: {{version: 1.41.3}}
            consecutive: 3
    worker:
      kubernetes: {{namespace: prod, deployment: worker-{n}, container: worker}}
      release: {{image: "registry.example.com/worker@sha256:9f86d081884c7d659a2feaa0c55ad015"}}
      after: [api]
      timeout: 5m
  verify:
    - http: {{url: https://podcast.example.com/smoke, status: 200, body: ready, within: 2m}}
"""


def write_files(directory, count):
    """Writes `count` files of about 1 KB, each a system of three components; no two claim the same target."""
    os.makedirs(directory)
    for number in range(count):
        with open(f"{directory}/system-{number:05}.yaml", "w") as file:
            file.write(FILE.format(n=number))


def write_fleet(path, count):
    """Writes one system of `count` components, each pinned to what the server says runs. Its name says how many, so that none shares state."""
    with open(path, "w") as file:
        file.write(f"apiVersion: belay.dev/v1alpha1\nkind: System\nmetadata:\n  name: fleet-{count}\nspec:\n  components:\n")
        for number in range(count):
            file.write(f"    web-{number}:\n      vercel: {{project: web-{number}, team: acme}}\n      release: dpl_{number}\n")


def write_workloads(path, count):
    """The same of the Deployments of one namespace."""
    with open(path, "w") as file:
        file.write(f"apiVersion: belay.dev/v1alpha1\nkind: System\nmetadata:\n  name: workloads-{count}\nspec:\n  components:\n")
        for number in range(count):
            file.write(f"    api-{number}:\n      kubernetes: {{namespace: fleet-{count}, deployment: api-{number}}}\n      release: v2\n")
