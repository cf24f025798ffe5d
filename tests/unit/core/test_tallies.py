from __future__ import annotations

import pytest

from procwrap.core.events import Declared, End, Ended, Event, ProbeResult, RoundEnded, Spawned, UsageSampled
from procwrap.core.limits import Usage
from procwrap.core.locks import LockChange, LockChanged
from procwrap.core.reloads import Forgotten
from procwrap.core.snapshot import Snapshot, reduce
from procwrap.core.tallies import Tallies, Tally


def spawned(name: str = "api") -> Spawned:
    return Spawned(name, 7, 0.0, 0.0)


def ended(cpu: float | None = None, ran_for: float = 1.0, name: str = "api") -> Ended:
    return Ended(name, 7, End(code=0), ran_for, 0.0, 0.0, success=True, cpu=cpu)


def sampled(cpu: float, name: str = "api") -> UsageSampled:
    return UsageSampled({name: Usage(1, cpu, 1, 1, 1)})


def probed(*results: bool, kind: str = "tcp", took: float = 0.2) -> RoundEnded:
    each = tuple(ProbeResult(kind, succeeded, "" if succeeded else "no", took) for succeeded in results)
    return RoundEnded("api", "readiness", each, 0, 3, counted=True, recovered=False, wall=0.0)


def told(*events: Event) -> Tally:
    tallies = Tallies()
    for event in events:
        tallies.note(Snapshot(), event)
    return tallies.of("api")


def test_each_probe_counts() -> None:
    """A round of several probes counts each of them, and how long it took, by type."""
    tally = told(probed(True, False), probed(True), probed(False, kind="http"))
    assert (tally.successes, tally.failures) == (2, 2)
    assert {kind: took.cumulative()[-1] for kind, took in tally.probes.items()} == {"tcp": 3, "http": 1}
    assert tally.probes["tcp"].total == pytest.approx(0.6)


def test_cpu_is_summed_over_restarts() -> None:
    """What was measured last before an end, and what came until it, both count."""
    tally = told(spawned(), sampled(2.0), sampled(5.0), ended(6.0), spawned(), sampled(1.0))
    assert tally.cpu == 7.0


def test_cpu_of_runs_that_were_never_measured_counts() -> None:
    """A process that runs for less than the period of measuring leaves its CPU time at its end."""
    assert told(*(event for _ in range(10) for event in (spawned(), ended(0.5)))).cpu == 5.0


def test_cpu_never_shrinks() -> None:
    """When a descendant is gone with what it had spent, the rest counts on."""
    tally = told(spawned(), sampled(10.0), sampled(4.0))
    assert tally.cpu == 10.0
    assert told(spawned(), sampled(10.0), sampled(4.0), sampled(5.0), ended(4.5)).cpu == 11.0


def test_the_last_run_counts() -> None:
    """How long it lasted is kept of one run only."""
    assert told(spawned()).last_run is None
    assert told(spawned(), ended(ran_for=3.0), spawned(), ended(ran_for=4.0)).last_run == 4.0


def test_a_storm_of_restarts_leaves_one_record() -> None:
    """Ten thousand restarts make nothing larger."""
    tallies = Tallies()
    for _ in range(10_000):
        for event in (spawned(), probed(True), ended(None)):
            tallies.note(Snapshot(), event)
    assert list(tallies._by_name) == ["api"]
    assert list(tallies.of("api").probes) == ["tcp"]


def test_what_is_forgotten_is_counted_no_more() -> None:
    """Its record goes with it, and late news of its lock makes no new one; asking makes none either."""
    snapshot = reduce(Snapshot(), Declared(("api",)))
    tallies = Tallies()
    tallies.note(snapshot, ended(cpu=3.0))
    tallies.note(snapshot, Forgotten("api"))
    tallies.note(reduce(snapshot, Forgotten("api")), LockChanged("api", LockChange.GIVEN_BACK))
    assert (tallies.of("api").cpu, tallies._by_name) == (0.0, {})
