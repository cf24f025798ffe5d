"""What else has to agree before a process starts, besides the processes it depends on.

A lock that only one Pod may hold, containers that have to be ready, a proxy that has to be there: each is a
``Permit``. They are asked one after the other when everything that the process depends on is there, each time
it is to start, the lock last: nobody should hold it and wait.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from attrs import define, field, frozen

from procwrap.children.gate import Gate, Happen
from procwrap.core.lifecycle import Input
from procwrap.spec.probe import Pairs
from procwrap.spec.process import Dependency


@frozen
class Reply:
    """How a permit answers; ``grant`` and ``deny`` once, ``wait`` as often as there is something new to say.

    Attributes:
        grant: it may start, and gets these variables besides its own.
        deny: it never may, and why.
        wait: not yet, and why.
        stand_by: not yet, for another does its work: it counts for no health meanwhile.
    """

    grant: Callable[[Pairs], None]
    deny: Callable[[str], None]
    wait: Callable[[str], None]
    stand_by: Callable[[str], None]


class Permit(Protocol):
    """Something outside that has to agree; nothing here blocks."""

    def ask(self, name: str, reply: Reply) -> None:
        """Be asked whether a process may start; the reply may be used at once, or any time later."""

    def leave(self, name: str) -> None:
        """Learn that it does not want to start any more; the reply is not used after that."""

    def ended(self, name: str) -> None:
        """Learn that a run, or an attempt to start, of a process to which this was granted is over."""


@define
class _Round:
    """One process's way through its permits."""

    needs: tuple[Dependency, ...]
    happen: Happen
    missing: list[Permit]
    at: Permit | None = None


@define(eq=False)
class Entrance:
    """The gate, and behind it the permits.

    Args:
        permits: those that a process needs, by its name, in the order in which they are asked.
    """

    _gate: Gate
    _permits: Callable[[str], Sequence[Permit]] = lambda name: ()
    _rounds: dict[str, _Round] = field(factory=dict)
    _environments: dict[str, Pairs] = field(factory=dict)

    def ask(self, name: str, needs: tuple[Dependency, ...], happen: Happen) -> None:
        """Ask whether ``name`` may start; it hears GRANTED or DENIED once, HELD and STANDBY before."""
        self._environments.pop(name, None)
        permits = list(self._permits(name))
        if not permits:
            self._gate.ask(name, needs, happen)
            return
        self._rounds[name] = _Round(needs, happen, permits)
        self._gate.ask(name, needs, lambda happened, reason: self._through(name, happened, reason))

    def leave(self, name: str) -> None:
        """Forget that ``name`` has asked; what was granted meanwhile is given back."""
        self._gate.leave(name)
        going = self._rounds.pop(name, None)
        if going is None:
            return
        if going.at is not None:
            going.at.leave(name)
        self._give_back(name, going)

    def ended(self, name: str) -> None:
        """Say that a run of ``name``, or the attempt to start it, is over."""
        self._environments.pop(name, None)
        for permit in reversed(self._permits(name)):
            permit.ended(name)

    def reason(self, name: str) -> str:
        """Return which process ``name`` is waiting for, in words; empty when for none."""
        return self._gate.reason(name)

    def environment(self, name: str) -> Pairs:
        """Return the variables that the permits gave to ``name``."""
        return self._environments.get(name, ())

    def _through(self, name: str, happened: Input, reason: str) -> None:
        going = self._rounds[name]
        if happened is not Input.GRANTED:
            del self._rounds[name]
            self._give_back(name, going)
            going.happen(happened, reason)
        elif going.missing:
            self._ask_next(name, going)
        else:
            del self._rounds[name]
            going.happen(Input.GRANTED, "")

    def _ask_next(self, name: str, going: _Round) -> None:
        permit = going.at = going.missing.pop(0)

        def is_current() -> bool:
            # A late answer must start nothing: it may have left, and even asked anew.
            return self._rounds.get(name) is going and going.at is permit

        def grant(variables: Pairs) -> None:
            if not is_current():
                return
            going.at = None
            self._environments[name] = self.environment(name) + variables
            if going.missing:
                self._ask_next(name, going)
            else:
                # What it depends on may have gone while the permits were waited for.
                self._gate.ask(name, going.needs, lambda what, why: self._through(name, what, why))

        def deny(reason: str) -> None:
            if is_current():
                going.at = None
                self._through(name, Input.DENIED, reason)

        def say(happened: Input, reason: str) -> None:
            if is_current():
                going.happen(happened, reason)

        permit.ask(
            name,
            Reply(
                grant,
                deny,
                lambda reason: say(Input.HELD, reason),
                lambda reason: say(Input.STANDBY, reason),
            ),
        )

    def _give_back(self, name: str, going: _Round) -> None:
        permits = self._permits(name)
        granted = len(permits) - len(going.missing) - (going.at is not None)
        for permit in reversed(permits[:granted]):
            permit.ended(name)
