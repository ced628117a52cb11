"""PyYAML with libyaml underneath: plain dictionaries, no validation, no positions.

    python pyyaml_load.py DIRECTORY REPETITIONS        prints the nanoseconds of every repetition
"""
import os
import sys
import time

import yaml

directory = sys.argv[1]
texts = [open(os.path.join(directory, name), "rb").read() for name in sorted(os.listdir(directory))]
for _ in range(int(sys.argv[2])):
    start = time.perf_counter_ns()
    for text in texts:
        yaml.load(text, Loader=yaml.CSafeLoader)
    print(time.perf_counter_ns() - start, end=" ")
print()
