"""A permit that answers as a test says."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from procwrap.children.permits import Reply


@define(eq=False)
class ScriptedPermit:
    """Remembers who asked, left and ended; grants nothing by itself.

    Attributes:
        heard: what it was told, in order.
        on_end: what it does when a run is over.
    """

    replies: dict[str, Reply] = field(factory=dict)
    heard: list[str] = field(factory=list)
    on_end: Callable[[], None] = lambda: None

    def ask(self, name: str, reply: Reply) -> None:
        """Keep the reply for the test."""
        self.replies[name] = reply
        self.heard.append(f"ask {name}")

    def leave(self, name: str) -> None:
        """Remember it."""
        self.heard.append(f"leave {name}")

    def ended(self, name: str) -> None:
        """Remember it."""
        self.heard.append(f"ended {name}")
        self.on_end()
