"""The processes as they are asked for now: a reload changes it, and everybody reads it when it matters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from attrs import define, field, setters

from procwrap.core.order import arranged
from procwrap.spec.process import ProcessSpec

T = TypeVar("T")


def _by_name(specs: Iterable[ProcessSpec]) -> dict[str, ProcessSpec]:
    return {spec.name: spec for spec in specs}


@define(eq=False)
class Roster(Mapping[str, ProcessSpec]):
    """Every process of the config by its name, in the order of the config."""

    _specs: dict[str, ProcessSpec] = field(converter=_by_name, on_setattr=setters.NO_OP)

    def __getitem__(self, name: str) -> ProcessSpec:
        return self._specs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)

    @property
    def specs(self) -> tuple[ProcessSpec, ...]:
        """All of them."""
        return tuple(self._specs.values())

    def put(self, spec: ProcessSpec) -> None:
        """Add a process at the end, or replace the one that has this name."""
        self._specs[spec.name] = spec

    def drop(self, name: str) -> None:
        """Remove a process."""
        self._specs.pop(name, None)

    def arrange(self, names: Iterable[str]) -> None:
        """Bring them into this order; those that are not named stay behind the others."""
        self._specs = arranged(self._specs, names)


@define(eq=False)
class Derived(Mapping[str, T], Generic[T]):
    """Something that follows from the spec of a process, for those from which it does; found out once each.

    Args:
        follow: returns it; None where nothing follows.
    """

    _roster: Mapping[str, ProcessSpec]
    _follow: Callable[[ProcessSpec], T | None]
    _known: dict[str, tuple[ProcessSpec, T | None]] = field(factory=dict)

    def __getitem__(self, name: str) -> T:
        spec = self._roster.get(name)
        if spec is None:
            self._known.pop(name, None)
            raise KeyError(name)
        known = self._known.get(name)
        if known is None or known[0] is not spec:
            known = self._known[name] = (spec, self._follow(spec))
        if known[1] is None:
            raise KeyError(name)
        return known[1]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._roster if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)
