"""A permit that answers as a test says."""

from __future__ import annotations

from attrs import define, field

from procwrap.children.permits import Reply


@define(eq=False)
class ScriptedPermit:
    """Remembers who asked, left and ended; grants nothing by itself.

    Attributes:
        heard: what it was told, in order.
    """

    replies: dict[str, Reply] = field(factory=dict)
    heard: list[str] = field(factory=list)

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
