"""A Kubernetes API of one kind, just enough for kopf: discovery, one list of COUNT settled objects, a watch without events.

    python fake_api.py COUNT        prints its port, serves until its standard input ends
"""
import asyncio
import json
import sys

from aiohttp import web

GROUP = "bench.belay.dev"


def resource(number):
    spec = {"project": f"web-{number}", "release": f"dpl_{number}"}
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Component",
        "metadata": {
            "name": f"web-{number}", "namespace": "default", "uid": f"uid-{number}", "resourceVersion": str(number + 1), "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            # Handled before: kopf then has nothing to write.
            "annotations": {"kopf.zalando.org/last-handled-configuration": json.dumps({"spec": spec}, separators=(",", ":")) + "\n"},
        },
        "spec": spec,
    }


def group(name):
    version = {"groupVersion": f"{name}/v1", "version": "v1"}
    return {"name": name, "versions": [version], "preferredVersion": version}


def kinds(version, *kinds):
    """The discovery document of one version: plural, kind and scope of each."""
    verbs = ["get", "list", "watch", "patch", "update", "create", "delete"]
    return {
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version,
        "resources": [
            {"name": plural, "singularName": kind.lower(), "namespaced": namespaced, "kind": kind, "verbs": verbs}
            for plural, kind, namespaced in kinds
        ],
    }


async def main(count):
    items = json.dumps({
        "apiVersion": f"{GROUP}/v1", "kind": "ComponentList", "metadata": {"resourceVersion": str(count + 1)},
        "items": [resource(number) for number in range(count)],
    }).encode()
    groups = [group(GROUP), group("apiextensions.k8s.io")]

    async def components(request):
        if request.query.get("watch") != "true":
            return web.Response(body=items, content_type="application/json")
        response = web.StreamResponse()
        response.content_type = "application/json"
        await response.prepare(request)
        await asyncio.sleep(3600)
        return response

    async def refuse(request):
        raise SystemExit(f"the pass was to be a no-op, and kopf wrote: {request.method} {request.path}")

    def answer(value):
        async def handler(request):
            return web.json_response(value)
        return handler

    app = web.Application()
    app.router.add_get("/version", answer({"major": "1", "minor": "31", "gitVersion": "v1.31.0"}))
    app.router.add_get("/api", answer({"kind": "APIVersions", "versions": ["v1"]}))
    app.router.add_get("/api/v1", answer(kinds("v1", ("namespaces", "Namespace", False), ("events", "Event", True))))
    app.router.add_get("/apis", answer({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
    app.router.add_get(f"/apis/{GROUP}/v1", answer(kinds(f"{GROUP}/v1", ("components", "Component", True))))
    definitions = kinds("apiextensions.k8s.io/v1", ("customresourcedefinitions", "CustomResourceDefinition", False))
    app.router.add_get("/apis/apiextensions.k8s.io/v1", answer(definitions))
    app.router.add_get(f"/apis/{GROUP}/v1/components", components)
    app.router.add_patch("/{path:.*}", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main(int(sys.argv[1])))
