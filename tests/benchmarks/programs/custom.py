"""Any other program, from ``--peer NAME=COMMAND``."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from typing import ClassVar

from attrs import frozen

from tests.benchmarks.programs.native import native_environ, write_native
from tests.benchmarks.programs.program import MANY, Child, Launch, Place, Role


@frozen
class Custom:
    """A command with a place for the children in it.

    ``{config}`` becomes a file in procwrap's native form (a YAML list), ``{child}`` the words of the one
    child that it wraps; a command with neither gets ``--config FILE`` behind it. ``{port}`` and
    ``{directory}`` are its own port and scratch directory; HEALTH_SOCKET holds the port, too.
    """

    label: str
    words: tuple[str, ...]
    role: ClassVar[Role] = "peer"

    @classmethod
    def parse(cls, text: str) -> Custom:
        """Read ``NAME=COMMAND``.

        Raises:
            ValueError: It is not of that form.
        """
        label, equals, command = text.partition("=")
        words = tuple(shlex.split(command))
        if not (label and equals and words):
            raise ValueError(f"expected NAME=COMMAND, got {text!r}")
        if "{child}" not in command and "{config}" not in command:
            words += ("--config", "{config}")
        return cls(label, words)

    @property
    def absent(self) -> str:
        """Whether its first word is a program at all."""
        return "" if shutil.which(self.words[0]) else f"{self.words[0]} is not an executable file"

    @property
    def most_children(self) -> int:
        """One, where it wraps a command."""
        return 1 if "{child}" in self.words else MANY

    @property
    def serves_readiness(self) -> bool:
        """A program with procwrap's config is taken to have procwrap's endpoints."""
        return self.most_children > 1

    def launch(self, place: Place, children: Sequence[Child]) -> Launch:
        """Write the config and fill the places in."""
        config = write_native(place, children, {})
        known = {"{config}": str(config), "{port}": str(place.port), "{directory}": str(place.directory)}
        argv: list[str] = []
        for word in self.words:
            if word == "{child}":
                argv += children[0].argv
                continue
            for mark, value in known.items():
                word = word.replace(mark, value)  # noqa: PLW2901 - one mark after the other
            argv.append(word)
        return Launch(tuple(argv), native_environ(place) if self.serves_readiness else {})
