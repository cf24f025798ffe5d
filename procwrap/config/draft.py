"""A process between text and spec: replicas not yet multiplied, its place in the text still known."""

from __future__ import annotations

from attrs import frozen

from procwrap.config.fields import Place
from procwrap.spec.process import ProcessSpec


@frozen
class Draft:
    """One item of ``processes`` as it was written.

    Attributes:
        spec: all of it but its replicas; the name is empty when it could not be read.
        place: where it stands in the text.
        replicas: how many were asked for, None when the key is not there.
    """

    spec: ProcessSpec
    place: Place
    replicas: int | None = None

    @property
    def instances(self) -> tuple[str, ...]:
        """The names under which it will run."""
        if self.replicas is None:
            return (self.spec.name,)
        return tuple(f"{self.spec.name}_{index}" for index in range(self.replicas))
