"""Frozen records of what happens to the machine under us."""

from __future__ import annotations

from attrs import frozen


@frozen
class PreemptionWatched:
    """From now on it is known whether the machine is about to be taken away."""


@frozen
class Preempted:
    """The machine is about to be taken away; ``reason`` is what was announced, for people."""

    reason: str


@frozen
class PreemptionCounted:
    """Another second has passed since that; told for the first minute."""


@frozen
class PreemptionRevoked:
    """The machine is not taken away after all."""


MachineEvent = PreemptionWatched | Preempted | PreemptionCounted | PreemptionRevoked
