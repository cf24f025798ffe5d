"""What has to be true of the other containers before a process starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from procwrap.core.oneline import one_line
from procwrap.pod.kubernetes import PodWatch, Sight
from procwrap.pod.podview import Container, PodView
from procwrap.pod.sidecars import lost, needed, unready
from procwrap.spec.pod import Birth
from procwrap.spec.probe import Pairs

PATIENCE = 30.0
"""Seconds for a person, or for what installs a Role a moment too late, to mend what was refused."""

UNKNOWN = "which container is ours is not known yet"


class Reply(Protocol):
    """What a permit may answer; see ``children/permits.py``."""

    @property
    def grant(self) -> Callable[[Pairs], None]:
        """It may start."""

    @property
    def wait(self) -> Callable[[str], None]:
        """Not yet, and why."""


def _joined(containers: Iterable[Container]) -> str:
    return one_line(", ".join(map(str, containers)))


@define(eq=False)
class Sidecars:
    """Lets every process start when all other containers are ready; once they were, it never asks again.

    Args:
        own: returns the name of our own container, empty when it is not known yet.
        give_up: ends everything with exit code 1, and says why.

    Attributes:
        granted: whether they were ready.
    """

    _watch: PodWatch
    _own: Callable[[PodView], str]
    _clock: IReactorTime
    _give_up: Callable[[str], None]
    granted: bool = False
    _waiting: dict[str, Reply] = field(factory=dict)
    _reason: str = "waits for the Kubernetes API to say how the other containers are"
    _forget: Callable[[], None] | None = None
    _refused: IDelayedCall | None = None

    def ask(self, name: str, reply: Reply) -> None:
        """Be asked for a process."""
        if self.granted:
            reply.grant(())
            return
        self._waiting[name] = reply
        reply.wait(self._reason)
        if self._forget is None:
            self._forget = self._watch.follow(self._see)

    def leave(self, name: str) -> None:
        """Learn that it does not want to start any more."""
        self._waiting.pop(name, None)
        if not self._waiting:
            self._rest()

    def ended(self, name: str) -> None:
        """Nothing is held for a process that runs."""

    def _see(self, sight: Sight) -> None:
        self._mind(sight)
        if sight.pod is None:
            if sight.trouble:
                self._say(f"waits for the Kubernetes API: {sight.trouble}")
            return
        own = self._own(sight.pod)
        if not own:
            self._say(UNKNOWN)
            return
        others = needed(sight.pod, own)
        if gone := lost(others):
            self._give_up(f"{_joined(gone)}: it is never started again, so it will not be ready")
        elif missing := unready(others):
            self._say(f"waits for the other containers: {_joined(missing)}")
        else:
            self._grant()

    def _mind(self, sight: Sight) -> None:
        """Give up when the API server says no for too long; that nobody answers may be a proxy not up."""
        if not sight.refused:
            self._calm()
        elif self._refused is None:
            self._refused = self._clock.callLater(PATIENCE, self._too_long)

    def _too_long(self) -> None:
        self._refused = None
        self._give_up(f"the other containers cannot be waited for: {self._watch.sight.trouble}")

    def _say(self, reason: str) -> None:
        if reason != self._reason:
            self._reason = reason
            for reply in tuple(self._waiting.values()):
                reply.wait(reason)

    def _grant(self) -> None:
        self.granted = True
        waiting, self._waiting = self._waiting, {}
        self._rest()
        for reply in waiting.values():
            reply.grant(())

    def _rest(self) -> None:
        self._calm()
        forget, self._forget = self._forget, None
        if forget is not None:
            forget()

    def _calm(self) -> None:
        if self._refused is not None:
            self._refused.cancel()
            self._refused = None


@define
class _Waiting:
    """A process that waits for its birth."""

    reply: Reply
    timer: IDelayedCall
    reason: str = ""


@define(eq=False)
class Births:
    """Lets a process start when certain containers are ready, each time anew.

    Args:
        births: what each process waits for.
        give_up: ends everything with exit code 1, and says why.
    """

    _watch: PodWatch
    _births: Mapping[str, Birth]
    _clock: IReactorTime
    _give_up: Callable[[str], None]
    _waiting: dict[str, _Waiting] = field(factory=dict)
    _forget: Callable[[], None] | None = None

    def ask(self, name: str, reply: Reply) -> None:
        """Be asked for a process."""
        timeout = self._births[name].timeout
        self._waiting[name] = waiting = _Waiting(
            reply, self._clock.callLater(timeout, self._too_late, name, timeout)
        )
        self._say(waiting, f"waits for the containers {', '.join(self._births[name].containers)}")
        if self._forget is None:
            self._forget = self._watch.follow(self._see)
        elif self._watch.sight.pod is not None:
            self._look(name, self._watch.sight.pod)

    def leave(self, name: str) -> None:
        """Learn that it does not want to start any more."""
        waiting = self._waiting.pop(name, None)
        if waiting is not None and waiting.timer.active():
            waiting.timer.cancel()
        if not self._waiting and self._forget is not None:
            forget, self._forget = self._forget, None
            forget()

    def ended(self, name: str) -> None:
        """Nothing is held for a process that runs."""

    def _see(self, sight: Sight) -> None:
        for name, waiting in tuple(self._waiting.items()):
            if name not in self._waiting:
                continue
            if sight.pod is not None:
                self._look(name, sight.pod)
            elif sight.trouble:
                self._say(waiting, f"waits for the Kubernetes API: {sight.trouble}")

    def _look(self, name: str, pod: PodView) -> None:
        waiting = self._waiting[name]
        wanted = [(wanted, pod.container(wanted)) for wanted in self._births[name].containers]
        unknown = [wanted for wanted, found in wanted if found is None]
        found = [found for _, found in wanted if found is not None]
        if unknown:
            has = ", ".join(container.name for container in pod.containers)
            text = f"there is no container {', '.join(unknown)} in this Pod, only {has}"
            self._give_up(f"{name} cannot start: {one_line(text)}")
        elif gone := lost(found):
            self._give_up(f"{name} cannot start: {_joined(gone)} is never started again")
        elif missing := unready(found):
            self._say(waiting, f"waits for the containers {_joined(missing)}")
        else:
            self.leave(name)
            waiting.reply.grant(())

    def _say(self, waiting: _Waiting, reason: str) -> None:
        if reason != waiting.reason:
            waiting.reason = reason
            waiting.reply.wait(reason)

    def _too_late(self, name: str, timeout: float) -> None:
        reason = self._waiting[name].reason
        self._give_up(f"{name} did not get to start within {timeout:g}s: it {reason}")
