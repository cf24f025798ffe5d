"""Several questions, or several streams, at the same time: a thread for each, one queue for all."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

MOST_HELD = 1_000
"""Items that wait to be printed; whoever brings more waits, and procwrap drops what nobody reads."""


class Item(NamedTuple, Generic[T]):
    """What a source has brought: an item, or the error with which it ended, or its end (neither)."""

    source: str
    brought: T | None
    error: Exception | None = None

    @property
    def is_end(self) -> bool:
        """Whether nothing more comes from there."""
        return self.brought is None


class Crowd(Generic[T]):
    """Reads several sources in threads of their own, which nobody waits for at the end.

    Attributes:
        left: how many sources have not ended.
    """

    def __init__(self) -> None:
        self._items: queue.Queue[Item[T]] = queue.Queue(MOST_HELD)
        self.left = 0

    def add(self, source: str, items: Callable[[], Iterable[T]]) -> None:
        """Begin to read a source; ``items`` is called in its thread."""
        self.left += 1
        threading.Thread(target=self._read, args=(source, items), daemon=True).start()

    def next(self, seconds: float | None = None) -> Item[T] | None:
        """Return what has come first, or None when nothing comes in time."""
        try:
            item = self._items.get(timeout=None if seconds is None else max(seconds, 0.0))
        except queue.Empty:
            return None
        self.left -= item.is_end
        return item

    def _read(self, source: str, items: Callable[[], Iterable[T]]) -> None:
        error: Exception | None = None
        try:
            for item in items():
                self._items.put(Item(source, item))
        except Exception as caught:
            error = caught
        self._items.put(Item(source, None, error))


def at_once(names: Sequence[str], ask: Callable[[str], T], most: int) -> Iterator[Item[T]]:
    """Ask the same about several names, of ``most`` at the same time.

    Yields:
        For each name its answer, or the error, as they come.
    """
    if len(names) == 1:
        yield _asked(names[0], ask)
        return
    waiting = queue.SimpleQueue[str]()
    for name in names:
        waiting.put(name)

    def answers() -> Iterator[Item[T]]:
        while True:
            try:
                name = waiting.get_nowait()
            except queue.Empty:
                return
            yield _asked(name, ask)

    crowd: Crowd[Item[T]] = Crowd()
    for number in range(min(most, len(names))):
        crowd.add(str(number), answers)
    while crowd.left:
        item = crowd.next()
        if item is not None and item.brought is not None:
            yield item.brought


def _asked(name: str, ask: Callable[[str], T]) -> Item[T]:
    try:
        return Item(name, ask(name))
    except Exception as error:
        return Item(name, None, error)
