"""Draws docs/_static/quickstart.svg from a real run of docs/examples/quickstart.yaml.

Run it where procwrap can be imported: ``python docs/quickstart_picture.py``.
Everything in the picture was printed by procwrap or answered by its HTTP side in that run, but the prompts.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

DOCS = Path(__file__).parent
CONFIG = "docs/examples/quickstart.yaml"
COLUMNS, CHARACTER, LINE, MARGIN, BAR = 132, 7.0, 17, 16, 30

FIELD = re.compile(r'([^\s=]+)=("(?:[^"\\]|\\.)*"|\S*)')
LEVELS = {"info": "#7ee2a8", "warning": "#f0c674", "error": "#ff7b72", "fatal": "#ff7b72", "debug": "#8b949e"}
NAMES = {"web": "#79c0ff", "worker": "#d2a8ff", "flaky": "#ffa657", "procwrap": "#e6edf3"}
DIM, PLAIN, PROMPT = "#7d8590", "#e6edf3", "#7ee2a8"

Span = tuple[str, str]
"""A piece of a line and its colour."""


def run_quickstart() -> tuple[list[str], list[list[str]], int]:
    """Run the quickstart until flaky has crashed, ask it how it is, and stop it as a container is stopped.

    Returns:
        The printed lines, the other terminal's commands each with its answer's lines, and the exit code.
    """
    command = [sys.executable, "-m", "procwrap", "--config", CONFIG]
    host = subprocess.Popen(command, cwd=DOCS.parent, stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    lines, asked = [], []
    for line in host.stdout:
        lines.append(line.rstrip("\n"))
        if "out of luck" in line:
            time.sleep(0.3)
            asked = [ask("/readiness"), ask("/readiness?wait=10s")]
            host.send_signal(signal.SIGTERM)
            asked.append([f"kill -TERM {host.pid}"])
    return lines, asked, host.wait(timeout=30)


def ask(path: str) -> list[str]:
    """GET a page of the running host, and show it as curl does with ``-w '%{http_code}'``."""
    url = f"127.0.0.1:8111{path}"
    try:
        with urlopen(f"http://{url}") as answer:
            status, body = answer.status, answer.read()
    except HTTPError as error:
        status, body = error.code, error.read()
    return [f"curl -w '%{{http_code}}' '{url}'", *body.decode().splitlines(), str(status)]


def coloured(line: str) -> Iterator[Span]:
    """Split a logfmt line into its spans: keys dim, levels and names by what they say."""
    at = 0
    for field in FIELD.finditer(line):
        key, value = field.groups()
        yield line[at : field.start()] + key + "=", DIM
        colour = (
            LEVELS.get(value, PLAIN)
            if key == "level"
            else NAMES.get(value, PLAIN)
            if key == "name"
            else PLAIN
        )
        yield value, DIM if key == "time" else colour
        at = field.end()
    yield line[at:], PLAIN


def clipped(spans: list[Span]) -> Iterator[Span]:
    """End a line where the terminal ends, and show that it does."""
    left = COLUMNS
    for text, colour in spans:
        if len(text) > left:
            yield text[: left - 1] + "…", colour
            return
        left -= len(text)
        yield text, colour


def screen(lines: list[str], asked: list[list[str]], status: int) -> list[list[Span]]:
    """Lay out the run as one would see it: the log, then the second terminal's questions and answers."""
    rows: list[list[Span]] = [[("$ ", PROMPT), (f"procwrap --config {CONFIG}", PLAIN)]]
    rows += [list(coloured(line)) for line in lines]
    rows += [[("$ ", PROMPT), ("echo $?", PLAIN)], [(str(status), PLAIN)], [("", PLAIN)]]
    rows += [[("# meanwhile, in a second terminal, just after flaky has crashed", DIM)]]
    for question, *answer in asked:
        rows += [[("$ ", PROMPT), (question, PLAIN)], *([(line, PLAIN)] for line in answer)]
    return [list(clipped(row)) for row in rows]


def svg(rows: list[list[Span]]) -> Iterator[str]:
    """Draw the rows as a terminal window."""
    width, height = COLUMNS * CHARACTER + 2 * MARGIN, len(rows) * LINE + BAR + MARGIN
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" font-size="11.6"'
    yield "  font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\">"
    yield "<title>procwrap runs docs/examples/quickstart.yaml</title>"
    yield f'<rect width="{width:.0f}" height="{height:.0f}" rx="8" fill="#0d1117"/>'
    for number, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        yield f'<circle cx="{18 + 18 * number}" cy="15" r="5" fill="{colour}"/>'
    for number, row in enumerate(rows):
        length = sum(len(text) for text, _ in row)
        spans = "".join(
            f'<tspan fill="{colour}">{escape(text, quote=False)}</tspan>' for text, colour in row if text
        )
        place = f'x="{MARGIN}" y="{BAR + LINE * (number + 0.8):.1f}" textLength="{length * CHARACTER:.0f}"'
        if spans:
            yield f'<text {place} xml:space="preserve">{spans}</text>'
    yield "</svg>"


def main() -> None:
    """Run, draw, write."""
    lines, asked, status = run_quickstart()
    picture = DOCS / "_static" / "quickstart.svg"
    picture.write_text("\n".join(svg(screen(lines, asked, status))) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
