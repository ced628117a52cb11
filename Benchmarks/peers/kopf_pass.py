"""A no-op pass of a kopf operator: every object is listed and handled once, with one GET to the provider and no write.

    python kopf_pass.py KUBERNETES PROVIDER COUNT

Prints two times that end when the last object is handled: from the start of the process, and from the operator's own start-up, without
interpreter and imports. The handler is the one that kopf calls for objects that were handled before it was started.
"""
import asyncio
import logging
import os
import sys
import time

import aiohttp
import kopf

server, provider, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
begun = handled = 0
session = None
stop = asyncio.Event()


def since_process_start():
    with open("/proc/self/stat") as file:
        ticks = int(file.read().rpartition(")")[2].split()[19])
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) - ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


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
        print(since_process_start(), time.perf_counter_ns() - begun, 0, flush=True)
        stop.set()


logging.disable(logging.CRITICAL)
asyncio.run(kopf.operator(clusterwide=True, standalone=True, stop_flag=stop))
