"""TCP between a client and a server that a test can cut, delay and silence, as networks do."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any

CHUNK = 65536


class Wires:
    """A thread with a loop in which all wires live; a context manager."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._made: list[Wire] = []

    def __enter__(self) -> Wires:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.run(self._cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _cancel_all(self) -> None:
        for wire in self._made:
            wire.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run something in the loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def call(self, function: Callable[[], None]) -> None:
        """Call a function in the loop."""
        self._loop.call_soon_threadsafe(function)

    def wire(self, port: int) -> Wire:
        """Return a new wire to a port of this machine."""
        made = Wire(self, port)
        self.run(made.open())
        self._made.append(made)
        return made


class Wire:
    """Listens on ``port`` and passes everything on, unless it was told otherwise.

    Attributes:
        up: whether what the client says arrives; what does not is lost for good, and with it the connection's
            sense: until it is cut, nothing more arrives on it in that direction.
        down: the same for what the server says.
        delay: seconds by which the server's words come late.
    """

    def __init__(self, wires: Wires, target: int) -> None:
        self._wires = wires
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.up = self.down = True
        self.refuses = False
        self.delay = 0.0

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Listen no more, and close every connection."""
        if self._server is not None:
            self._server.close()
        self._close_all()

    def heal(self) -> None:
        """Be a good wire again."""
        self.up = self.down = True
        self.refuses, self.delay = False, 0.0

    def cut(self) -> None:
        """Close every connection."""
        self._wires.call(self._close_all)

    def half_close(self) -> None:
        """Say on every connection, to both sides, that nothing more will come."""

        def close() -> None:
            for writer in self._writers:
                with contextlib.suppress(OSError, RuntimeError):
                    writer.write_eof()

        self._wires.call(close)

    def _close_all(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            writer.transport.abort()
            return
        try:
            theirs, ours = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, ours}
        self._writers |= pair
        try:
            await asyncio.gather(
                self._pass(reader, ours, lambda: self.up, lambda: 0.0),
                self._pass(theirs, writer, lambda: self.down, lambda: self.delay),
            )
        except (OSError, RuntimeError):
            pass
        finally:
            self._writers -= pair
            for each in pair:
                each.transport.abort()

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        arrives: Callable[[], bool],
        delay: Callable[[], float],
    ) -> None:
        silent = False
        while data := await reader.read(CHUNK):
            silent = silent or not arrives()
            if silent:
                continue
            if delay():
                await asyncio.sleep(delay())
            writer.write(data)
            await writer.drain()
        if not silent:
            writer.write_eof()
