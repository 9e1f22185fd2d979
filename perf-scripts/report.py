#!/usr/bin/env python3
"""Numbers out of iperf3, ping and perf reports, and what a run of the scripts here amounts to. Standard library only.

report.py tcp LABEL [TICKS BUSY] FILE    lines "ROW <tab> VALUE" of iperf3's JSON; clock ticks of the daemons and of the machine
report.py udp LABEL FILE                 the same of a UDP test
report.py ping LABEL FILE                the same of ping's output
report.py results DIRECTORY              the table on the screen; results.json, report.md and plots in DIRECTORY
report.py check DIRECTORY                what issue-sized claims of FastMesh ask for, next to what was measured; fails on a miss
report.py markdown DIRECTORY FILE...     replaces the blocks of DIRECTORY's script in Markdown files, and copies its plots to FILE's docs
report.py profile FILE                   shares of kernel, crypto and the rest, then symbols, of "perf report"
"""

import json
import os
import re
import shutil
import statistics
import sys
from html import escape

LESS_IS_BETTER = ("CPU", "RTT")
PLOTS = {"Mbit/s": "throughput", "s/GB": "cpu", "packets/s": "packets", "us": "latency"}

SUMMARY = ("fastmesh-fastmesh", "wireguard-go", "tinc11-tinc11", "tincd-tincd")
SHORT = ("plain", *SUMMARY, "fastmesh-tinc11", "fastmesh-tincd")

TCP, BACK = "TCP 1 stream, Mbit/s", "TCP 1 stream back, Mbit/s"
CPU, CPU_DAEMONS = "CPU machine, s/GB", "CPU daemons, s/GB"
UDP, UDP_BATCH, RTT, RTT_99 = "UDP 64 B, packets/s", "UDP 64 B in batches, packets/s", "RTT median, us", "RTT 99 %, us"

# (ours, row, factor, reference): for rows where more is better the least factor allowed, else the greatest.
REQUIRED = (
    *(("fastmesh-fastmesh", row, factor, "wireguard-go") for row, factor in ((TCP, 2.0), (CPU, 0.5), (CPU_DAEMONS, 0.5), (CPU, 0.462))),
    *(("fastmesh-fastmesh", row, factor, tinc) for tinc in ("tincd-tincd", "tinc11-tinc11") for row, factor in ((TCP, 10), (CPU, 0.1), (CPU_DAEMONS, 0.1))),
    ("switch:fastmesh-fastmesh", TCP, 0.9, "fastmesh-fastmesh"),
    ("fastmesh-fastmesh-fastmesh", TCP, 5, "tinc11-tinc11-tinc11"),
    *((f"fastmesh-{tinc}", row, 1.5, f"{tinc}-{tinc}") for tinc in ("tinc11", "tincd") for row in (TCP, BACK)),
    *(("fastmesh-fastmesh", row, 2, other) for row in (UDP, UDP_BATCH) for other in ("wireguard-go", "tinc11-tinc11")),
    *(("fastmesh-fastmesh", row, 1.0, other) for row in (RTT, RTT_99) for other in ("tinc11-tinc11", "wireguard-go")),
    # As a plain tinc 1.0 node, and towards tinc 1.1, FastMesh is nowhere worse than tinc.
    *(("fastmesh10-fastmesh10", row, 1.0, "tincd-tincd") for row in (TCP, CPU_DAEMONS, UDP, RTT)),
    *(("fastmesh-tinc11", row, 1.0, "tinc11-tinc11") for row in (CPU_DAEMONS, UDP, RTT)),
)


# What one report says

def load(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def tcp(label, *arguments):
    received = json.loads(load(arguments[-1]))["end"]["sum_received"]
    print(f"{label}, Mbit/s\t{received['bits_per_second'] / 1e6:.1f}")
    for row, ticks in zip((CPU_DAEMONS, CPU), arguments[:-1]):
        # Seconds of processor time per gigabyte (1e9 bytes) that arrived.
        print(f"{row}\t{int(ticks) / os.sysconf('SC_CLK_TCK') / (received['bytes'] / 1e9):.3f}")


def udp(label, path):
    received = json.loads(load(path))["end"]["sum_received"]
    print(f"{label}, packets/s\t{(received['packets'] - received['lost_packets']) / received['seconds']:.0f}")


def ping(label, path):
    times = sorted(float(value) * 1000 for value in re.findall(r"time=([\d.]+) ms", load(path)))
    if len(times) >= 2:
        print(f"{label} median, us\t{statistics.median(times):.0f}")
        print(f"{label} 99 %, us\t{statistics.quantiles(times, n=100, method='inclusive')[98]:.0f}")


# What a run amounts to

class Run:
    """rows: {row: {setup: samples}}, both in the order of their first appearance; about: {name: text}."""

    def __init__(self, directory):
        self.directory, self.rows = directory, {}
        self.about = dict(line.split("\t", 1) for line in load(os.path.join(directory, "about.tsv")).splitlines())
        for line in load(os.path.join(directory, "samples.tsv")).splitlines():
            setup, row, value = line.split("\t")
            self.rows.setdefault(row, {}).setdefault(setup, []).append(float(value))
        self.setups = list(dict.fromkeys(setup for values in self.rows.values() for setup in values))

    def median(self, setup, row):
        samples = self.rows.get(row, {}).get(setup)
        return statistics.median(samples) if samples else None

    def table(self):
        """Lines of cells, the first being the heading. The longer of set-ups and rows goes down."""
        if len(self.rows) > len(self.setups):
            return self.columns(self.setups)
        return [["", *self.rows]] + [[label_of(setup), *(number(self.median(setup, row)) for row in self.rows)] for setup in self.setups]

    def columns(self, setups):
        return [["", *map(label_of, setups)]] + [[row, *(number(self.median(setup, row)) for setup in setups)] for row in self.rows]

    def checks(self):
        """(passed, text of ours, row, reference, factor required, factor measured or None) for all that was required of what was measured."""
        for ours, row, required, reference in REQUIRED:
            mine, theirs = self.median(ours, row), self.median(reference, TCP if row == BACK else row)
            measured = mine / theirs if mine is not None and theirs else None
            less = row.startswith(LESS_IS_BETTER)
            passed = measured is not None and (measured <= required if less else measured >= required)
            yield passed, label_of(ours), row, label_of(reference), f"{'≤' if less else '≥'} {required:g}", measured


def label_of(setup):
    modifiers, _, nodes = setup.rpartition(":")
    if setup == "plain":
        text = "no VPN"
    elif setup == "wireguard-go":
        text = setup
    else:
        kinds = [{"tincd": "tinc 1.0", "tinc11": "tinc 1.1", "fastmesh10": "fastmesh as tinc 1.0", "before": "fastmesh before"}.get(kind, kind) for kind in nodes.split("-")]
        text = " to ".join(kinds) if len(kinds) == 2 else ", ".join(kinds)
        if setup == "fastmesh10-fastmesh10":
            text = kinds[0]
        if len(kinds) > 2 and len(set(kinds)) == 1:
            text = f"{len(kinds)} × {kinds[0]}"
        if len(kinds) == 3:
            text += " in a line"
    return text + "".join(f", {modifier.replace('=', ' ')}" for modifier in modifiers.split(",") if modifier)


def number(value):
    if value is None:
        return "-"
    return f"{value:.{2 if value < 10 else 1}f}" if value < 100 else f"{value:,.0f}".replace(",", " ")


def print_columns(lines):
    widths = [max(map(len, cells)) + 2 for cells in zip(*lines)]
    for line in lines:
        print(line[0].ljust(widths[0]) + "".join(cell.rjust(width) for cell, width in zip(line[1:], widths[1:])))


def markdown_table(lines):
    rows = ["| " + " | ".join(line).replace(", us", ", µs") + " |" for line in lines]
    return "\n".join([rows[0], "|" + "---|" * len(lines[0]), *rows[1:]])


def results(directory):
    run = Run(directory)
    print_columns(run.table())
    medians = {row: {setup: {"median": statistics.median(samples), "samples": samples} for setup, samples in setups.items()}
               for row, setups in run.rows.items()}
    write(os.path.join(directory, "results.json"), json.dumps({"about": run.about, "rows": medians}, indent=1) + "\n")
    for name, svg in plots(run):
        write(os.path.join(directory, name), svg)
    kinds = ["about", "table", *(["check"] if run.about["script"] == "compare" else []), "plots"]
    write(os.path.join(directory, "report.md"), "\n\n".join(block(run, kind).replace("(DOCS", "(") for kind in kinds) + "\n")
    print(f"written: {directory}/results.json, report.md and plots")


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def check(directory):
    good = True
    for passed, ours, row, reference, required, measured in Run(directory).checks():
        good &= passed
        factor = "not measured" if measured is None else f"{measured:.2f}"
        print(f"{'PASS' if passed else 'MISS'}  {row}: {ours} / {reference}  required {required}  measured {factor}")
    if not good:
        sys.exit(1)


# Plots: one for each unit, in it one group of horizontal bars for each row, each group with its own scale; and a summary

def plots(run):
    if run.about["script"] == "compare":
        yield "compare-summary.svg", plot({row: {setup: run.median(setup, row) for setup in SUMMARY if setup in run.rows[row]}
                                           for row in (TCP, CPU, UDP, RTT) if row in run.rows})
    for unit, name in PLOTS.items():
        rows = {row: {setup: run.median(setup, row) for setup in setups} for row, setups in run.rows.items() if row.endswith(f", {unit}")}
        if rows:
            yield f"{run.about['script']}-{name}.svg", plot(rows)


def plot(rows):
    bar, gap, left, width = 18, 26, 230, 480
    lines, y = [], 20
    for row, values in rows.items():
        hint = "less is better" if row.startswith(LESS_IS_BETTER) else "more is better"
        lines.append(f'<text x="10" y="{y + 4}" font-weight="bold">{escape(row.replace(", us", ", µs"))}</text>'
                     f'<text x="{left + width}" y="{y + 4}" text-anchor="end" fill="#777">{hint}</text>')
        y += 14
        largest = max(values.values(), default=0) or 1
        for setup, value in values.items():
            length = value / largest * (width - 70)
            lines.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{escape(label_of(setup))}</text>'
                         f'<rect x="{left}" y="{y + 2}" width="{length:.1f}" height="{bar - 4}" fill="{colour(setup)}"/>'
                         f'<text x="{left + length + 6:.1f}" y="{y + 13}">{number(value)}</text>')
            y += bar
        y += gap
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 20}" height="{y - gap + 10}" font-family="sans-serif" '
            'font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(lines) + "\n</svg>\n")


def colour(setup):
    """Blue for ours alone, light blue for ours with another, grey for others."""
    nodes = setup.rpartition(":")[2].split("-")
    ours = sum(node.startswith(("fastmesh", "before")) for node in nodes)
    return "#2563eb" if ours == len(nodes) else "#93c5fd" if ours else "#a3a3a3"


# Markdown: a block is <!-- SCRIPT: KIND --> ... <!-- end -->, KIND one of about, table, short, check, plots or the name of one

def block(run, kind):
    script = run.about["script"]
    if kind == "about":
        versions = ", ".join(f"{name} {text}" for name, text in run.about.items() if name not in ("script", "date", "machine", "rounds", "seconds"))
        return f"{run.about['date']}, {run.about['machine']}; medians of {run.about['rounds']} rounds of {run.about['seconds']} s a row; {versions}."
    if kind == "table":
        return markdown_table(run.table())
    if kind == "short":
        return markdown_table(run.columns([setup for setup in SHORT if setup in run.setups]))
    if kind == "check":
        lines = [["ours / theirs", "row", "required", "measured", ""]]
        for passed, ours, row, reference, required, measured in run.checks():
            lines.append([f"{ours} / {reference}", row, required, number(measured), "" if passed else "missed"])
        return markdown_table(lines)
    names = [f"{script}-{name}.svg" for name in (PLOTS.values() if kind == "plots" else [kind])]
    pictures = [f"![{name[:-4].replace('-', ': ')}](DOCS{name})" for name in names if os.path.exists(os.path.join(run.directory, name))]
    return "\n\n".join(pictures)


def markdown(directory, *files):
    run = Run(directory)
    docs = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "docs")
    for file in files:
        beside = os.path.relpath(docs, os.path.dirname(os.path.abspath(file)))
        prefix = "" if beside == "." else beside + "/"
        pattern = re.compile(rf"(<!-- {run.about['script']}: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
        text, count = pattern.subn(lambda match: f"{match[1]}{block(run, match[2]).replace('(DOCS', '(' + prefix)}\n{match[3]}", load(file))
        write(file, text)
        print(f"{file}: {count} blocks")
        for name in re.findall(rf"\({re.escape(prefix)}({run.about['script']}-\w+\.svg)\)", text):
            shutil.copy(os.path.join(directory, name), docs)


# Profiles

PARTS = (
    ("kernel", r"\[kernel|\.ko$|\[vdso\]"),
    ("crypto", r"libcrypto|IPSec_MB|libsodium"),
    ("FastMesh", r"^fastmesh$"), # less what of it is .NET's: see part_of
    (".NET runtime", r"^$"),
    ("libc and others", r""),
)


def part_of(symbol, library):
    """The program is one file: the names of what is ours in it begin with the assembly's."""
    if re.search(r"^fastmesh$", library) and not re.match(r"\[.\] (fastmesh|FastMesh)_", symbol):
        return ".NET runtime"
    return next(name for name, pattern in PARTS if re.search(pattern, library))


def symbol_name(symbol, library):
    """Type.Method of the native compiler's names, Assembly_Namespace_Type__Method; the library where there is no name."""
    method = re.match(r"\[.\] \w+_(\w+?)__(\w+)$", symbol)
    if method:
        return f"{method[1]}.{method[2]}"
    return library if re.fullmatch(r"\[.\] 0x[0-9a-f]+", symbol) else symbol[4:]


def profile(path):
    shares, symbols = {}, {}
    for line in load(path).splitlines():
        match = re.match(r"\s*([\d.]+)%\s*\t([^\t]*)\t(.*)", line)
        if match:
            share, library, symbol = float(match[1]), match[2].strip(), match[3].strip()
            part = part_of(symbol, library)
            shares[part] = shares.get(part, 0) + share
            key = part, symbol_name(symbol, library)
            symbols[key] = symbols.get(key, 0) + share
    print_columns([["", "%"], *([name, f"{shares[name]:.1f}"] for name, _ in PARTS if name in shares)])
    print()
    for (part, symbol), share in sorted(symbols.items(), key=lambda item: -item[1])[:50]:
        print(f"{share:6.2f} %  {part:16}{symbol}")


COMMANDS = {function.__name__: function for function in (tcp, udp, ping, results, check, markdown, profile)}

if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    COMMANDS[sys.argv[1]](*sys.argv[2:])
