"""Row 13: how large the program is."""
import os
import subprocess

from table import Line


def rows(here, python, count):
    stripped = f"{here.folder}/reconcile"
    subprocess.run(["strip", "-o", stripped, here.reconcile], check=True)
    size = os.path.getsize(stripped)
    needs = subprocess.run(["ldd", here.reconcile], check=True, capture_output=True, text=True).stdout
    swift = sum("libswift" in line or "Foundation" in line for line in needs.splitlines())
    if swift:
        raise SystemExit("the program was linked to Swift's libraries: build it as `make build` does")
    yield Line(
        "13", "the program, static Swift, stripped", f"{size / 1e6:.1f} MB", f"unstripped: {os.path.getsize(here.reconcile) / 1e6:.1f} MB", "", "",
        "≤ 30 MB", size <= 30e6)
