"""``python asyncprober.py KIND PORT COUNT``: so many probes, each once a second, and nothing else.

KIND is ``tcp``, ``http`` or ``none``. There are no children, no thresholds, no log and no HTTP server.
"""

from __future__ import annotations

import asyncio
import sys

PERIOD = 1.0
TIMEOUT = 2.0


async def tcp(port: int) -> bool:
    """Connect."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    return True


async def http(port: int) -> bool:
    """Ask, read the headers, look at the status."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nUser-Agent: bare\r\n\r\n")
    headers = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return 200 <= int(headers.split(b" ", 2)[1]) <= 399


PROBES = {"tcp": tcp, "http": http}


async def look(kind: str, port: int) -> None:
    """Probe for ever."""
    while True:
        try:
            well = await asyncio.wait_for(PROBES[kind](port), TIMEOUT)
        except (OSError, TimeoutError):
            well = False
        if not well:
            sys.exit("a probe failed")
        await asyncio.sleep(PERIOD)


async def main(kind: str, port: str, count: str) -> None:
    """Start them all."""
    probes = int(count) if kind in PROBES else 0
    await asyncio.gather(asyncio.Event().wait(), *(look(kind, int(port)) for _ in range(probes)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
