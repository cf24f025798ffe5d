"""Real pipes, limits and readers for tests of what writes."""

from __future__ import annotations

import contextlib
import os
import resource
import threading
from collections.abc import Iterator

from tests.support.mainloop import PATIENCE


@contextlib.contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    """Give a pipe's two ends, and close what is still open of it."""
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            with contextlib.suppress(OSError):
                os.close(end)


class ReaderThread:
    """Reads a pipe to its end in the background."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._chunks: list[bytes] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def everything(self) -> bytes:
        """Wait for the end of the pipe and return all that came."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the pipe has no end"
        return b"".join(self._chunks)

    def _run(self) -> None:
        while chunk := os.read(self._fd, 65536):
            self._chunks.append(chunk)


@contextlib.contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size: writes end in the middle, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
