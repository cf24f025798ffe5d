from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.residents import LOOK, MOST_LOOKS, Reloads, Residents
from procwrap.spec.process import ProcessSpec


class Anybody:
    """Takes every call, and remembers it."""

    def __init__(self, name: str, told: list[str]) -> None:
        self._name, self._told = name, told

    def __getattr__(self, called: str) -> Any:
        def take(*args: Any) -> Any:
            self._told.append(f"{self._name}.{called}")
            return lambda: self._told.append(f"{self._name}.closed")

        return take


class Ties:
    """A clock and a roster are all that matters here."""

    def __init__(self, *specs: ProcessSpec) -> None:
        self.reactor = Clock()
        self.roster = {spec.name: spec for spec in specs}


class Child:
    """One that is gone, and may have something left to be read."""

    def __init__(self, settled: bool) -> None:
        self.settled = settled
        self.spec = ProcessSpec("api", "/bin/api")


class ResidentsTests(SynchronousTestCase):
    def build(self, *specs: ProcessSpec) -> Residents:
        self.told: list[str] = []
        self.ties: Any = Ties(*specs)
        names = ("serving", "coordination", "streams", "notifications", "heartbeats", "conclusion")
        others: list[Any] = [Anybody(name, self.told) for name in names]
        residents = Residents(self.ties, *others)
        residents.resample = lambda: self.told.append("resample")
        return residents

    def test_everybody_hears_of_it(self) -> None:
        """What comes, what is other, and that all of it is done."""
        residents, spec = self.build(), ProcessSpec("api", "/bin/api")
        residents.admit(spec)
        residents.adjust(spec, ("readiness",))
        residents.adjust(spec, ("labels",))
        residents.changed()
        expected = ["streams.admit", "coordination.admit", "streams.adjust"]
        self.assertEqual(self.told, [*expected, "heartbeats.limit_to", "conclusion.recount", "resample"])

    def test_a_log_file_is_closed_when_all_was_read(self) -> None:
        """Or after a while, whoever still holds the output open."""
        for settles in (True, False):
            residents, child = self.build(), Child(settled=False)
            gone: Any = child
            residents.forget(gone)
            self.ties.reactor.advance(LOOK)
            self.assertNotIn("streams.closed", self.told)
            child.settled = settles
            self.ties.reactor.pump([LOOK] * (1 if settles else MOST_LOOKS))
            self.assertIn("streams.closed", self.told)
            self.assertEqual(self.ties.reactor.getDelayedCalls(), [])

    def test_where_there_is_no_config_nothing_is_read(self) -> None:
        """Around one command, and where nobody can ask again; SIGHUP hears nothing of it."""
        anything: Any = None
        command = ProcessSpec("sh", "/bin/sh", wrapped=True)
        for again, specs in ((None, ()), (lambda: anything, (command,))):
            reloads = Reloads(self.build(*specs), again, anything, anything)
            reloads.on_signal()
            self.assertIn("no config", str(self.failureResultOf(reloads.ask()).value))
