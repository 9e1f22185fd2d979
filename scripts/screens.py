#!/usr/bin/python3
"""screens.py OUT.svg COLUMNSxROWS SECONDS COMMAND...

Runs a command on a terminal of that size (python3-pyte) and draws what stands there when it has ended, or after SECONDS,
as SVG. The first line of the picture is the command, with the program's name only.
"""
import fcntl, html, os, pty, select, signal, struct, sys, termios, time
import pyte

CELL, LINE, MARGIN = 8.4, 18, 14
BACKGROUND, TEXT = "#11161d", "#d5dbe3"
COLOURS = {
    "default": TEXT, "black": "#4b5563", "red": "#f47067", "green": "#6bc46d", "brown": "#daaa3f", "yellow": "#daaa3f",
    "blue": "#6cb6ff", "magenta": "#dcbdfb", "cyan": "#76c7d0", "white": "#f0f3f6",
}


def run(columns, rows, seconds, command):
    screen = pyte.Screen(columns, rows)
    stream = pyte.ByteStream(screen)
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS=str(columns), LINES=str(rows))
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                stream.feed(os.read(terminal, 65536))
            except OSError:  # the command has ended
                break
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return screen


def colour(name):
    name = name.removeprefix("bright")
    return COLOURS.get(name, f"#{name}" if len(name) == 6 else TEXT)


def style(cell):
    fore, back = colour(cell.fg), BACKGROUND if cell.bg == "default" else colour(cell.bg)
    if cell.reverse:
        fore, back = back, TEXT if cell.fg == "default" else fore
    return fore, back, cell.bold


def runs(cells):
    """Neighbouring cells of one style: (column, text, style)."""
    start = 0
    for column in range(1, len(cells) + 1):
        if column == len(cells) or style(cells[column]) != style(cells[start]):
            yield start, "".join(c.data for c in cells[start:column]), style(cells[start])
            start = column


def draw(title, screen):
    lines = [[screen.buffer[row][column] for column in range(screen.columns)] for row in range(screen.lines)]
    while lines and not "".join(c.data for c in lines[-1]).strip():
        lines.pop()
    width, height = screen.columns * CELL + 2 * MARGIN, (len(lines) + 1) * LINE + 2 * MARGIN
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
           f'font-family="ui-monospace,DejaVu Sans Mono,Menlo,Consolas,monospace" font-size="14" xml:space="preserve">')
    yield f'<rect width="100%" height="100%" rx="6" fill="{BACKGROUND}"/>'
    yield f'<text x="{MARGIN}" y="{MARGIN + 13}" fill="#6bc46d">$ <tspan fill="#f0f3f6" font-weight="bold">{html.escape(title)}</tspan></text>'
    for row, cells in enumerate(lines, 1):
        for column, text, (fore, back, bold) in runs(cells):
            x, y = MARGIN + column * CELL, MARGIN + row * LINE
            if back != BACKGROUND:
                yield f'<rect x="{x:.1f}" y="{y}" width="{len(text) * CELL:.1f}" height="{LINE}" fill="{back}"/>'
            visible = text.strip()
            if visible:
                x += (len(text) - len(text.lstrip())) * CELL
                weight = ' font-weight="bold"' if bold else ""
                yield (f'<text x="{x:.1f}" y="{y + 13}" fill="{fore}"{weight} '
                       f'textLength="{len(visible) * CELL:.1f}" lengthAdjust="spacingAndGlyphs">{html.escape(visible).replace(" ", chr(160))}</text>')
    yield "</svg>"


out, size, seconds, *command = sys.argv[1:]
columns, rows = map(int, size.split("x"))
screen = run(columns, rows, float(seconds), command)
shown = " ".join([os.path.basename(command[0]), *command[1:]])
with open(out, "w", encoding="utf-8") as file:
    file.writelines(line + "\n" for line in draw(shown[shown.find("fastmesh"):], screen))
