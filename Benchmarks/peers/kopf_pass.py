"""A no-op pass of a kopf operator: every object is listed and handled once, with one GET to the provider and no write.

    python kopf_pass.py KUBERNETES PROVIDER COUNT        prints the nanoseconds from start-up of the operator to the last object handled

The handler is the one that kopf calls for objects that were handled before it was started. Interpreter and imports are not counted.
"""
import asyncio
import logging
import sys
import time

import aiohttp
import kopf

server, provider, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
begun = handled = 0
session = None
stop = asyncio.Event()


@kopf.on.login()
def login(**_):
    return kopf.ConnectionInfo(server=server, token="bench", insecure=True)


@kopf.on.startup()
async def startup(settings, **_):
    global begun, session
    settings.scanning.disabled = True
    settings.posting.enabled = False
    session = aiohttp.ClientSession(headers={"Authorization": "Bearer bench", "Accept": "application/json"})
    begun = time.perf_counter_ns()


@kopf.on.cleanup()
async def cleanup(**_):
    await session.close()


@kopf.on.resume("bench.belay.dev", "v1", "components")
async def reconcile(spec, **_):
    global handled
    async with session.get(f"{provider}/v9/projects/{spec['project']}") as response:
        project = await response.json()
    if project["targets"]["production"]["id"] != spec["release"]:
        raise kopf.PermanentError(f"{spec['project']} is not at its release")
    handled += 1
    if handled == count:
        print(time.perf_counter_ns() - begun, flush=True)
        stop.set()


logging.disable(logging.CRITICAL)
asyncio.run(kopf.operator(clusterwide=True, standalone=True, stop_flag=stop))
