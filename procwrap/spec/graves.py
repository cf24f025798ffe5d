"""What was asked about tombstones, as kubexit keeps them."""

from __future__ import annotations

from attrs import frozen

DEFAULT_GRAVEYARD = "/graveyard"


@frozen
class Graves:
    """A process's own tombstone, and those whose deaths are its end.

    Attributes:
        graveyard: the directory that all who look at each other's tombstones share.
        name: of the process's own tombstone in it; empty for none.
        death_deps: names of the tombstones of others; when one of them has died, the process is stopped.
    """

    graveyard: str = DEFAULT_GRAVEYARD
    name: str = ""
    death_deps: tuple[str, ...] = ()
