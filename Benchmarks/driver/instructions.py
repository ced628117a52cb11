"""Row 14: instructions, counted by callgrind, against the committed baseline. Noise of the machine does not reach them."""
import json
import os
import re
import subprocess

import specs
from rows import fleet
from surroundings import HERE
from table import Line

BASELINE = f"{HERE}/instructions.json"
TOLERANCE = 1.02


def count(here, command, environment=None, only=None):
    """Instructions of the process without its children; with `only`, of what happens inside the functions of that name.

    The least of three: how often a thread finds nothing to do depends on the scheduler.
    """
    valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={here.folder}/callgrind.out"]
    program, *arguments = command
    bare = f"{here.folder}/{os.path.basename(program)}"
    if not os.path.exists(bare):
        # Debian 12's valgrind cannot read the debugging information that Swift writes, and gives up.
        subprocess.run(["strip", "--strip-debug", "-o", bare, program], check=True)
    if only:
        valgrind.append(f"--toggle-collect=*{only}*")
    counts = []
    for _ in range(1 if only else 3):
        process = subprocess.Popen(
            [*valgrind, bare, *map(str, arguments)], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        _, report = process.communicate(timeout=180)
        # A child that has not become another program yet reports too, under its own number.
        found = re.search(rf"=={process.pid}== Collected : (\d+)", report)
        if process.returncode != 0 or not found or int(found[1]) == 0:
            raise SystemExit(f"callgrind: {' '.join(map(str, command))} ended with {process.returncode}\n{report[-2000:]}")
        counts.append(int(found[1]))
    return min(counts)


def counted(here):
    """The instructions of rows 1, 5, 6 and 7, with fewer components than are timed."""
    plain = here.environment(here.server.plain)
    spec, _ = fleet(here, 200, ["--once"])
    two, _ = fleet(here, 2, ["plan"])
    folder = f"{here.folder}/specs-counted"
    specs.write_files(folder, 100)
    plan, load = "measuredPlan", "measuredSpecs"
    return {
        "1 no-op reconcile, 200 components": count(here, [here.reconcile, "--once", "-f", spec], plain),
        "5 plan, 10000 components, none changed": count(here, [here.bench, "plan", 10_000, 0, 1], only=plan),
        "5 plan, 10000 components, 50 changed": count(here, [here.bench, "plan", 10_000, 50, 1], only=plan),
        "6 parse and validate 100 spec files": count(here, [here.bench, "specs", folder, 1], only=load),
        "7 cold start of reconcile plan, two components": count(here, [here.reconcile, "plan", "-f", two], plain),
    }


def key(here):
    """What a count depends on beside our own code."""
    swift, libraries = here.versions()
    machine = subprocess.run(["uname", "-m"], capture_output=True, text=True).stdout.strip()
    return f"{machine}; {swift}; {libraries}"


def baselines():
    try:
        with open(BASELINE) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def record(here):
    known = baselines()
    known[key(here)] = counted(here)
    with open(BASELINE, "w") as file:
        json.dump(known, file, indent=2, ensure_ascii=False, sort_keys=True)
        file.write("\n")


def lines(here):
    known = baselines().get(key(here))
    for what, now in counted(here).items():
        row, _, rest = what.partition(" ")
        before = known.get(what) if known else None
        against = f"baseline: {before / 1e6:.2f} M" if before else "no baseline for this toolchain and these libraries"
        yield Line(
            "14", f"instructions of row {row}: {rest}", f"{now / 1e6:.2f} M", against, f"{now / before:.4f}" if before else "–", "",
            "≤ 1.02", now <= before * TOLERANCE if before else None)
