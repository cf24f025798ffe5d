"""What a snapshot means for those who ask over HTTP: alive, ready, and who is fine."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import frozen

from procwrap.core.lifecycle import State
from procwrap.core.snapshot import ProcessView, Snapshot
from procwrap.spec.plan import LivenessRule

STUCK_AFTER = 5
"""More restarts by probes in a row than this: the process cannot recover by itself."""

Json = dict[str, object]


@frozen
class Verdict:
    """The answer to one question of health.

    Attributes:
        ok: True is HTTP 200, False is 503.
        causes: the processes that are the cause, in the order of the plan.
    """

    ok: bool
    causes: Mapping[str, ProcessView]
    preempted: bool = False
    shutdown: bool = False

    def body(self) -> Json:
        """Return what a client reads."""
        return {
            "healthy": self.ok,
            "preempted": self.preempted,
            "shutdown": self.shutdown,
            "processes": {
                name: {"state": view.state.value, "reason": reason(view)}
                for name, view in self.causes.items()
            },
        }


def fine(view: ProcessView) -> bool:
    """Return whether nothing is wrong: it runs and its probes succeed, or it has done its work."""
    return view.fine


def all_healthy(snapshot: Snapshot) -> bool:
    """Return whether there are processes that count and all of these are fine."""
    return len(snapshot.processes) > snapshot.standing_by and not snapshot.ailing


def liveness(snapshot: Snapshot, rule: LivenessRule) -> Verdict:
    """Tell whether the container should go on; not ok asks the kubelet to kill and restart it."""
    # During the shutdown everything stops, which is no reason to be killed before it is done: the
    # graceful deadline bounds it. What an operator stopped is no reason either.
    causes = {} if snapshot.shutdown else _those(snapshot, _LIVENESS_CAUSES[rule])
    return Verdict(not causes, causes, snapshot.preempted, snapshot.shutdown)


def readiness(snapshot: Snapshot) -> Verdict:
    """Tell whether traffic should come: everything was started and is fine, and nothing is about to end."""
    # Where all stand by there is nobody who could take traffic.
    causes = _those(snapshot, lambda view: view.ails) or _those(snapshot, lambda view: view.stands_by)
    if is_ready(snapshot):
        causes = {}
    return Verdict(is_ready(snapshot), causes, snapshot.preempted, snapshot.shutdown)


def is_ready(snapshot: Snapshot) -> bool:
    """Return whether readiness is ok, without looking for the causes."""
    return all_healthy(snapshot) and not (snapshot.preempted or snapshot.shutdown)


def status(snapshot: Snapshot) -> dict[str, bool]:
    """Return for each process whether it is fine."""
    return {name: fine(view) for name, view in snapshot.processes.items()}


def reason(view: ProcessView) -> str:
    """Say in one line why a process is in its state, with the probes that fail while it starts."""
    failing = "; ".join(last.reason for last in view.rounds.values() if not last.succeeded)
    if failing and (view.state is State.STARTING or not view.reason):
        return failing
    return view.reason


def _not_alive(view: ProcessView) -> bool:
    return view.ails and view.state is not State.STOPPED


def _stuck(view: ProcessView) -> bool:
    if view.state is State.FAILED:
        return True
    # One that came back after many restarts has recovered; the row ends only with its next restart.
    return view.condemned_in_row > STUCK_AFTER and _not_alive(view)


_LIVENESS_CAUSES: Mapping[LivenessRule, Callable[[ProcessView], bool]] = {
    LivenessRule.HEALTHY: _not_alive,
    LivenessRule.STUCK: _stuck,
}


def _those(snapshot: Snapshot, wanted: Callable[[ProcessView], bool]) -> dict[str, ProcessView]:
    return {name: view for name, view in snapshot.processes.items() if wanted(view)}
