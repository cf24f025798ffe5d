"""``python answerer.py``: prints its port, then answers every request with 200, as cheaply as asyncio can."""

from __future__ import annotations

import asyncio
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class Answering(asyncio.Protocol):
    """Answers whatever it is told and hangs up; who says nothing may hang up first."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember whom to answer."""
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport

    def data_received(self, _: bytes) -> None:
        """Answer."""
        self.transport.write(ANSWER)
        self.transport.close()


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
