"""Runs the benchmarks and prints one line for every goal.

    make bench                   times of every row, then the instructions
    make bench-instructions      the instructions alone; fails when one grew by more than 2 %
"""
import argparse
import os
import subprocess
import sys
import time

import binary
import calls
import instructions
import listed
import migrations
import slow_provider
import thousand
import watching
from rows import ROWS
from surroundings import ROOT, Surroundings, python_of_the_peers
from table import render

MEASURED = {
    **ROWS, "2": listed.rows, "3": slow_provider.rows, "8": watching.rows, "11": migrations.rows, "12": calls.lines, "13": binary.rows, "15": thousand.rows}

def main():
    parser = argparse.ArgumentParser(prog="Benchmarks/driver", description="Measures Belay next to floors and peers on loopback.")
    parser.add_argument("--rounds", type=int, default=15, help="interleaved rounds of every row (15)")
    parser.add_argument("--only", help="rows to measure, for instance 1,5,14 (1 and 2 also give 4 and counts for 12, 8 gives 9 and 10)")
    parser.add_argument("--programs", default=f"{ROOT}/.build/release", help="where reconcile and belay-bench are")
    parser.add_argument("--record", action="store_true", help="write the instructions as the new baseline and measure nothing else")
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else [*MEASURED, "14"]
    for row in wanted:
        if row not in [*MEASURED, "14"]:
            parser.error(f"row {row} is not measured here; there are {', '.join([*ROWS, '14'])}")

    lines, failed = [], []
    begun = time.monotonic()
    with Surroundings(options.programs) as here:
        if options.record:
            instructions.record(here)
            print(f"written: {instructions.BASELINE}")
            return 0
        print(describe(here, options.rounds))
        python = python_of_the_peers() if {"1", "2", "6", "11"} & set(wanted) else None
        for row in wanted:
            print(f"row {row} …", file=sys.stderr, flush=True)
            try:
                lines += instructions.lines(here) if row == "14" else MEASURED[row](here, python, options.rounds)
            except SystemExit as error:
                failed.append(row)
                print(f"row {row} could not be measured: {error}", file=sys.stderr, flush=True)
    lines.sort(key=lambda line: int(line.cells[0]))
    print(render(lines))
    print(f"\n{time.monotonic() - begun:.0f} s. Times: median over the rounds (minimum). Ratios are taken within each round.")
    grown = [line for line in lines if line.cells[0] == "14" and line.met is False]
    for line in grown:
        print(f"{line.cells[1]} grew: {line.cells[2]}, {line.cells[3]}. Meant? python3 Benchmarks/driver --record", file=sys.stderr)
    return 1 if grown or failed else 0


def describe(here, rounds):
    swift, libraries = here.versions()
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown processor")
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    load = os.getloadavg()[0]
    busy = "" if load < 0.5 else " (the machine is not quiet: take the minima)"
    return f"{commit}; {os.cpu_count()} × {model}; load {load:.2f}{busy}\n{swift}; {libraries}\n{rounds} interleaved rounds\n"


sys.exit(main())
