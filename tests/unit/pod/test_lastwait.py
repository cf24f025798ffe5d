from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.events import Level
from procwrap.pod.lastwait import BLIND, LastWait
from tests.support.podapi import MemoryApi
from tests.support.pods import RUNNING, make_pod, put, terminated


class LastWaitTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.told: list[tuple[Level, str]] = []
        self.build(put(make_pod(), "proxy", RUNNING, ready=True))

    def build(self, pod: dict[str, Any]) -> None:
        home = Path(self.mktemp())
        home.mkdir()
        self.memory = MemoryApi(home, pod)
        self.cluster = self.memory.cluster
        self.last = LastWait(
            self.memory.watch,
            lambda pod: "main",
            self.memory.clock,
            lambda: True,
            lambda level, text: self.told.append((level, text)),
        )

    def wait(self) -> Deferred[None]:
        waiting = self.last.wait()
        self.memory.settle()
        return waiting

    def over(self, waiting: Deferred[None]) -> None:
        """It is over, and has left nothing behind."""
        self.assertIsNone(self.successResultOf(waiting))
        self.memory.settle()
        self.assertEqual((self.cluster.watching(), self.memory.clock.getDelayedCalls()), (0, []))

    def test_until_they_have_ended(self) -> None:
        """Whatever their exit codes; it is said for whom it waits."""
        waiting = self.wait()
        self.memory.settle(5)
        self.assertNoResult(waiting)
        self.cluster.put("proxy", terminated(143))
        self.memory.settle()
        self.over(waiting)
        self.assertEqual(self.told, [(Level.INFO, "waits for the other containers to end: proxy (ready)")])

    def test_they_have_ended_already(self) -> None:
        """Then it is over as soon as that is known."""
        self.cluster.put("proxy", terminated())
        self.over(self.wait())
        self.assertEqual(self.told, [])

    def test_native_sidecars(self) -> None:
        """The kubelet ends them when all main containers are gone, us among them: nobody waits for them."""
        self.build(put(make_pod(("main",), sidecars=("log",)), "log", RUNNING, ready=True))
        self.over(self.wait())

    def test_not_for_ever(self) -> None:
        """At most the Pod's terminationGracePeriodSeconds, from the end of our processes on."""
        self.build(put(make_pod(grace=45), "proxy", RUNNING))
        waiting = self.wait()
        self.memory.settle(20)
        self.cluster.touch()
        self.memory.settle(24.9)
        self.assertNoResult(waiting)
        self.memory.settle(0.1)
        self.over(waiting)
        self.assertEqual(
            self.told[-1], (Level.WARNING, "waits no longer, after 45s, for the end of proxy (not ready)")
        )

    def test_one_that_is_restarted(self) -> None:
        """It has ended once, and that is enough."""
        self.build(put(make_pod(("main", "proxy", "cache"), policy="OnFailure"), "proxy", RUNNING))
        waiting = self.wait()
        self.cluster.put("proxy", terminated(143))
        self.cluster.put("proxy", RUNNING)
        self.memory.settle()
        self.cluster.put("cache", terminated(0))
        self.memory.settle()
        self.over(waiting)

    def test_nothing_ran(self) -> None:
        """There is nothing to wait for."""
        self.last._is_needed = lambda: False
        self.over(self.wait())
        self.assertEqual(self.cluster.requests, [])

    def test_a_signal_while_it_waits(self) -> None:
        """Whoever sends it wants us to end."""
        waiting = self.wait()
        self.last.hurry()
        self.over(waiting)

    def test_a_signal_before(self) -> None:
        """The kubelet ends the others itself then."""
        self.last.hurry()
        self.over(self.wait())
        self.assertEqual(self.cluster.requests, [])

    def test_cancelled(self) -> None:
        """As by a second signal."""
        waiting = self.wait()
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.memory.settle()
        self.assertEqual((self.cluster.watching(), self.memory.clock.getDelayedCalls()), (0, []))

    def test_nobody_says_how_they_are(self) -> None:
        """The proxy to the API server may be the very sidecar that has ended: not for the whole grace."""
        self.cluster.status = 503
        waiting = self.wait()
        for _ in range(int(BLIND) - 1):
            self.memory.settle(1)
        self.assertNoResult(waiting)
        self.memory.settle(1)
        self.over(waiting)
        [(level, text)] = self.told
        self.assertEqual(level, Level.WARNING)
        self.assertIn("nobody says how they are: the API server answers 503", text)

    def test_it_goes_blind(self) -> None:
        """The same in the middle of it; sight that comes back in time counts."""
        waiting = self.wait()
        self.cluster.status = 503
        self.cluster.cut()
        for _ in range(6):
            self.memory.settle(1)
        self.cluster.status = 0
        for _ in range(12):
            self.memory.settle(1)
        self.assertNoResult(waiting)
        self.cluster.put("proxy", terminated())
        self.memory.settle()
        self.over(waiting)

    def test_the_pod_is_gone(self) -> None:
        """Whoever has removed it by force waits for nobody."""
        waiting = self.wait()
        self.cluster.delete()
        for _ in range(int(BLIND) + 1):
            self.memory.settle(1)
        self.over(waiting)

    def test_followed_by_another(self) -> None:
        """What another follower has seen already is known at once, and may be the end of it at once."""
        self.memory.follow()
        self.cluster.put("proxy", terminated())
        self.memory.settle()
        self.assertIsNone(self.successResultOf(self.last.wait()))
        self.assertEqual(len(self.memory.watch._followers), 1)
