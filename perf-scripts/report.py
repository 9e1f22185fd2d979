#!/usr/bin/env python3
"""Numbers out of iperf3 and ping reports, and the table, JSON and SVG of compare.sh. Standard library only."""

import json
import os
import re
import statistics
import sys
from html import escape

LESS_IS_BETTER = ("CPU", "RTT")
COLOURS = ("#2563eb", "#60a5fa", "#94a3b8", "#f59e0b", "#10b981", "#a855f7", "#ef4444", "#64748b")


def iperf(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)["end"]


def iperf_mbit(path):
    return f"{iperf(path)['sum_received']['bits_per_second'] / 1e6:.1f}"


def iperf_cpu(path, ticks):
    """Seconds of processor time per gigabyte (1e9 bytes) that arrived."""
    seconds = int(ticks) / os.sysconf("SC_CLK_TCK")
    return f"{seconds / (iperf(path)['sum_received']['bytes'] / 1e9):.2f}"


def iperf_packets(path):
    total = iperf(path)["sum"]
    return f"{(total['packets'] - total['lost_packets']) / total['seconds']:.0f}"


def ping_median(path):
    with open(path, encoding="utf-8") as file:
        times = [float(value) for value in re.findall(r"time=([\d.]+) ms", file.read())]
    return f"{statistics.median(times) * 1000:.0f}" if times else "nan"


def medians(path):
    """{row: {pair: median}}, both in the order of their first appearance."""
    samples = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            pair, row, value = line.rstrip("\n").split("\t")
            samples.setdefault(row, {}).setdefault(pair, []).append(float(value))
    return {row: {pair: statistics.median(values) for pair, values in pairs.items()} for row, pairs in samples.items()}


def print_table(rows):
    pairs = list(dict.fromkeys(pair for values in rows.values() for pair in values))
    width = max(len(row) for row in rows) + 2
    columns = [max(len(pair), 10) + 2 for pair in pairs]
    print(" " * width + "".join(pair.rjust(column) for pair, column in zip(pairs, columns)))
    for row, values in rows.items():
        cells = (format_number(values.get(pair)).rjust(column) for pair, column in zip(pairs, columns))
        print(row.ljust(width) + "".join(cells))


def format_number(value):
    if value is None or value != value:
        return "-"
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}".replace(",", " ")


def write_svg(rows, path):
    """One group of horizontal bars for each row; every group has its own scale."""
    bar, gap, left, width = 18, 30, 190, 520
    lines, y = [], 20
    for row, values in rows.items():
        hint = "less is better" if row.startswith(LESS_IS_BETTER) else "more is better"
        lines.append(f'<text x="10" y="{y + 4}" font-weight="bold">{escape(row)}</text>'
                     f'<text x="{left + width}" y="{y + 4}" text-anchor="end" fill="#888">{hint}</text>')
        y += 14
        largest = max((value for value in values.values() if value == value), default=0) or 1
        for index, (pair, value) in enumerate(values.items()):
            length = 0 if value != value else value / largest * (width - 70)
            lines.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{escape(pair)}</text>'
                         f'<rect x="{left}" y="{y + 2}" width="{length:.1f}" height="{bar - 4}" fill="{COLOURS[index % len(COLOURS)]}"/>'
                         f'<text x="{left + length + 6:.1f}" y="{y + 13}">{format_number(value)}</text>')
            y += bar
        y += gap
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 20}" height="{y}" '
                   f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n')
        file.write("\n".join(lines) + "\n</svg>\n")


# (ours, reference, strictly): in every row ours is at least as good as the reference, or better.
FLOORS = (
    ("fastmesh10-fastmesh10", "tincd-tincd", False),
    ("fastmesh-tinc11", "tinc11-tinc11", False),
    ("fastmesh-fastmesh", "tinc11-tinc11", True),
    ("fastmesh-fastmesh", "fastmesh-tinc11", True),
)


def check(rows):
    good = True
    for ours, reference, strictly in FLOORS:
        print(f"{ours} {'better than' if strictly else 'at least as good as'} {reference}:")
        for row, values in rows.items():
            factor = advantage(row, values.get(ours, float("nan")), values.get(reference, float("nan")))
            passed = factor > 1 if strictly else factor >= 1
            good &= passed
            print(f"  {'ok  ' if passed else 'FAIL'} {row}: {factor:.2f} times as good")
    return good


def advantage(row, ours, reference):
    """How many times as good, whichever direction is better; not a number when either is missing."""
    better, worse = (reference, ours) if row.startswith(LESS_IS_BETTER) else (ours, reference)
    return better / worse if worse else float("inf")


def table(samples, out, *flags):
    rows = medians(samples)
    print_table(rows)
    with open(os.path.join(out, "results.json"), "w", encoding="utf-8") as file:
        json.dump(rows, file, indent=2)
        file.write("\n")
    write_svg(rows, os.path.join(out, "plot.svg"))
    print(f"written: {out}/results.json, {out}/plot.svg")
    if "--check" in flags and not check(rows):
        sys.exit(1)


COMMANDS = {"iperf-mbit": iperf_mbit, "iperf-cpu": iperf_cpu, "iperf-packets": iperf_packets, "ping-median": ping_median, "table": table}

if __name__ == "__main__":
    result = COMMANDS[sys.argv[1]](*sys.argv[2:])
    if result is not None:
        print(result)
