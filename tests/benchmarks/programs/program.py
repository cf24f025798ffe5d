"""What a benchmark knows of a program that starts children: how to start it, and what it can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

from attrs import field, frozen

Role = Literal["subject", "peer", "floor"]  # ratios are taken to the peers
MANY = 1_000_000


@frozen
class Child:
    """One process that the program shall start."""

    name: str
    argv: tuple[str, ...]


@frozen
class Place:
    """Where one start of a program may write and listen."""

    directory: Path
    port: int

    @property
    def health_socket(self) -> str:
        """The address of its HTTP, if it serves any."""
        return f"127.0.0.1:{self.port}"


@frozen
class Launch:
    """What to execute."""

    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(factory=dict)


class Program(Protocol):
    """One row of the tables."""

    @property
    def label(self) -> str:
        """Its name in the tables."""

    @property
    def role(self) -> Role:
        """Whether it is measured for its own sake, as a yardstick, or as the floor under all of them."""

    @property
    def most_children(self) -> int:
        """How many children it can run: 1 for a program that wraps a command."""

    @property
    def serves_readiness(self) -> bool:
        """Whether it answers ``GET /readiness`` on its port."""

    @property
    def absent(self) -> str:
        """Why it cannot be measured here, for example because it is not installed; else empty."""

    def launch(self, place: Place, children: Sequence[Child]) -> Launch:
        """Write its config for these children into the place, and say how to start it."""
