#!/usr/bin/env python3
"""layout.py SYMBOLS BASE: reads addresses, one hexadecimal number in a line, and prints the names of the methods that they lie in, in the order of their
first appearance. SYMBOLS is a file as nm -n prints it, BASE where the program is loaded."""
import bisect
import sys

NAMES = ("FastMesh_", "S_P_", "System_", "Microsoft_")  # what the compiler of managed code has made

symbols = [(int(line.split(" ", 2)[0], 16), line.rstrip("\n").split(" ", 2)[2]) for line in open(sys.argv[1], encoding="utf-8")]
addresses = [address for address, _ in symbols]
base = int(sys.argv[2], 16)
found = {}
for step in {line: None for line in sys.stdin if not line.startswith("turn")}:
    at = int(step, 16) - base
    if addresses[0] <= at <= addresses[-1]:
        found[symbols[bisect.bisect_right(addresses, at) - 1][1]] = None
print("\n".join(name for name in found if name.startswith(NAMES)))
