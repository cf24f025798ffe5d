"""Lines a second through the pure log path: ``python -m tests.benchmarks.logformat``.

Every kind of line goes through a whole ``Pipeline`` (splitting, formatting, counting, the lines kept in
memory) in chunks of 64 KiB. Seconds are those of the CPU, so that others on the machine disturb less. What
reading, writing and the reactor cost comes on top.
"""

from __future__ import annotations

import string
import sys
import time

from procwrap.logs.formats import formatter
from procwrap.logs.pipeline import Pipeline
from procwrap.logs.recent import Recent
from procwrap.logs.source import Source

CHUNK = 64 * 1024
LINE = 94
WORDS = tuple(bytes((code,)) for code in string.ascii_letters.encode())
SECONDS = 0.2
ROUNDS = 5

KINDS = {
    "sentence": [b"handled request 8f3a9c for /api/v1/items with status 200 in 12 ms, 3 retries, queue 17"],
    "bare word": [b"8f3a9c0d-4b1e-4f0a-9d55-2b7f6f0c1a11"],
    "one word in ten": [*[b"handled request 8f3a9c for /api/v1/items in 12 ms"] * 9, b"done"],
    "child logfmt": [b'ts=2026-11-21T20:03:04Z level=warn msg="slow request" path=/api took=812ms user=bob'],
    "child JSON": [b'{"level":"warn","time":1795464184567,"msg":"slow request","path":"/api","took":812.5}'],
    "non-ASCII": ["Größe geändert für Straße 17: überprüft, ½ fertig, 温度は摂氏二十度です".encode()],
    "escapes": [
        b'said "hello" to C:\\temp\\x and went on\twith \x1b[32mcolours\x1b[0m as well as a few words'
    ],
    "invalid UTF-8": [
        b"bytes \xff\xfe that are no text, as of a program in Latin-1: \xe4\xf6\xfc and some more"
    ],
    "ERROR in ten": [
        *[b"2026-11-21 20:03:04 INFO worker handled 8f3a9c"] * 9,
        b"20:03:04 ERROR worker failed",
    ],
    "mixed levels": [
        b"2026-11-21 20:03:04,567 INFO worker handled request 8f3a9c",
        b"2026-11-21 20:03:04,567 DEBUG worker handled request 8f3a9c",
        b"2026-11-21 20:03:04,567 WARNING worker was slow on 8f3a9c",
    ],
}


def chunks_of(lines: list[bytes]) -> list[bytes]:
    """Return a megabyte of the lines, each with dots up to 94 bytes if it is a sentence, in chunks."""
    padded = [line.ljust(LINE - 1, b".") if line.endswith(WORDS) and b" " in line else line for line in lines]
    text = b"\n".join(padded) + b"\n"
    stream = text * (1024 * 1024 // len(text))
    return [stream[start : start + CHUNK] for start in range(0, len(stream), CHUNK)]


def lines_per_second(log_format: str, chunks: list[bytes]) -> float:
    """Return the best of a few short runs, which is the one least disturbed by others."""
    best = 0.0
    for _ in range(ROUNDS):
        written = 0

        def count(data: bytes, records: int) -> None:
            nonlocal written
            written += len(data)

        source = Source("web", "stdout", 31, (("team", "core"),))
        outlets = [Recent().add, count]
        pipeline = Pipeline(formatter(log_format, source), outlets, 256 * 1024, lambda: 1795464184.567)
        start = time.process_time()
        while (spent := time.process_time() - start) < SECONDS:
            for chunk in chunks:
                pipeline.receive(chunk)
        assert written
        best = max(best, pipeline.lines / spent)
    return best


def main() -> None:
    """Print a table of all kinds of lines in all formats."""
    formats = ("logfmt", "auto", "json", "free")
    sys.stdout.write(f"{'million lines/s':18}" + "".join(f"{name:>9}" for name in formats) + "\n")
    for kind, lines in KINDS.items():
        chunks = chunks_of(lines)
        rates = [lines_per_second(name, chunks) / 1e6 for name in formats]
        sys.stdout.write(f"{kind:18}" + "".join(f"{rate:9.2f}" for rate in rates) + "\n")


if __name__ == "__main__":
    main()
