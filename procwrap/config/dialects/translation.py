"""What translating a config of another dialect comes to, besides the native config."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field, frozen

from procwrap.config.fields import Fields, Place
from procwrap.config.node import Node
from procwrap.config.problem import Problem, WrongValueError
from procwrap.config.surroundings import Surroundings

MOST_WRITTEN = 16 * 1024 * 1024
"""Bytes."""


@frozen
class Native:
    """A config in the native mapping form; every node keeps its place in the user's text.

    Attributes:
        dialect: the name of the one it was written in.
        ignored: what has no meaning here, each with the reason.
        warnings: what is worth saying at each start, each one line.
        resolved: what was read from the environment or a file, and is a part of the config now.
    """

    dialect: str
    node: Node
    ignored: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    resolved: tuple[Problem, ...] = ()


@define(eq=False)
class Translation:
    """A translation under way.

    Attributes:
        problems: gets what is wrong.
        ignored: gets what has no meaning here.
        resolved: gets what was read from the environment or a file.
    """

    problems: list[Problem]
    surroundings: Surroundings
    ignored: list[Problem] = field(factory=list)
    warnings: list[str] = field(factory=list)
    resolved: list[Problem] = field(factory=list)
    _written: int = 0

    def spend(self, size: int) -> None:
        """Note that something of this size was written out that the text only refers to.

        A few lines may refer to the same large thing many thousand times.

        Raises:
            WrongValueError: all of it together is too much.
        """
        self._written += size
        if self._written > MOST_WRITTEN:
            raise WrongValueError(
                f"more than {MOST_WRITTEN // 1024 // 1024} MiB with all references: too much"
            )

    def ignore(self, fields: Fields, place: Place, reasons: Mapping[str, str]) -> None:
        """Take keys that have no meaning here, and note those that are given.

        Args:
            fields: the keys of a mapping.
            place: that mapping.
            reasons: for each such key why it has none; an empty one keeps it out of the list.
        """
        for key, reason in reasons.items():
            found = fields.take(key, lambda value: value, None)
            if found is not None and reason:
                mark = place.node.entries[key].key_mark
                self.ignored.append(Problem(mark, found.path, f"ignored: {reason}"))

    def finish(self, dialect: str, node: Node) -> Native:
        """Return what it came to."""
        return Native(dialect, node, tuple(self.ignored), tuple(self.warnings), tuple(self.resolved))
