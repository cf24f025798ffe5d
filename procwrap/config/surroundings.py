"""What a config may refer to besides itself: environment variables, and files that hold secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from attrs import field, frozen


class Values(Protocol):
    """Secrets and config maps by name."""

    @property
    def directory(self) -> str:
        """Where they are."""

    def one(self, name: str, key: str) -> str | None:
        """Return one value of a secret or config map; None when there is none.

        Raises:
            WrongValueError: it cannot be read.
        """

    def all(self, name: str) -> Mapping[str, str] | None:
        """Return every value of one; None when there is none of this name.

        Raises:
            WrongValueError: it cannot be read.
        """


@frozen
class Surroundings:
    """Where a config is loaded.

    Attributes:
        environ: the environment that procwrap was started with.
        values: the secrets and config maps below ``--secrets-dir``; None when there is no such option.
        root: whether procwrap is root, so that a process is root as well unless it is told otherwise.
    """

    environ: Mapping[str, str] = field(factory=dict, repr=False)
    values: Values | None = None
    root: bool = False
