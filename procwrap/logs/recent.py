"""The last lines of a process, kept for ``procwrap logs`` and the page."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

Take = Callable[[bytes, int], None]
"""Takes complete records and how many they are; never raises."""


class Recent:
    """Keeps the newest records within two bounds, of lines and of bytes.

    Whole chunks are kept as they came, shared with the outlets rather than copied, and forgotten whole when
    the newer ones suffice, so adding costs the same however much is kept. The bound of bytes is strict; that
    of lines is strict for what ``tail`` returns, while in memory up to a chunk more may wait.
    """

    __slots__ = ("_bytes", "_chunks", "_lines", "_max_bytes", "_max_lines", "_takers")

    def __init__(self, max_lines: int = 1000, max_bytes: int = 1024 * 1024) -> None:
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        self._chunks: deque[tuple[bytes, int]] = deque()
        self._lines = 0
        self._bytes = 0
        self._takers: tuple[Take, ...] = ()

    def add(self, data: bytes, records: int) -> None:
        """Take in new records.

        Args:
            data: Complete records, each ending in a newline.
            records: How many they are.
        """
        for take in self._takers:
            take(data, records)
        if len(data) > self._max_bytes:
            data = _ending(data, self._max_bytes)
            if not data:
                return  # a last record over the bound: what came before it is better than nothing
            records = data.count(b"\n")
            while self._chunks:  # else there would be a gap between the older lines and these
                self._forget()
        self._chunks.append((data, records))
        self._lines += records
        self._bytes += len(data)
        while self._bytes > self._max_bytes or self._lines - self._chunks[0][1] >= self._max_lines:
            self._forget()

    def tail(self, lines: int) -> bytes:
        """Return the newest records, at most ``lines`` of them and at most what is kept, oldest first."""
        missing = min(lines, self._max_lines)
        chunks: list[bytes] = []
        for data, records in reversed(self._chunks):
            if missing <= 0:
                break
            chunks.append(data if records <= missing else _last_lines(data, missing))
            missing -= records
        return b"".join(reversed(chunks))

    def follow(self, take: Take) -> Callable[[], None]:
        """Call ``take`` with all records from now on, as they come, also those that are too long to be kept.

        Returns:
            A callable that ends this; calling it twice does no harm.
        """
        self._takers = (*self._takers, take)

        def forget() -> None:
            self._takers = tuple(other for other in self._takers if other is not take)

        return forget

    def _forget(self) -> None:
        data, records = self._chunks.popleft()
        self._lines -= records
        self._bytes -= len(data)


def _ending(data: bytes, most: int) -> bytes:
    """Return the complete records at the end of ``data`` that fit into ``most`` bytes."""
    start = len(data) - most
    return data[data.find(b"\n", start - 1) + 1 :]


def _last_lines(data: bytes, lines: int) -> bytes:
    """Return the last ``lines`` lines of ``data``, which has more of them."""
    start = len(data)
    for _ in range(lines + 1):
        start = data.rfind(b"\n", 0, start)
    return data[start + 1 :]
