from __future__ import annotations

import os
import select
import signal
import socket
import subprocess

from twisted.trial.unittest import SynchronousTestCase

from procwrap.errors import SpawnError
from procwrap.lock.guarding import UP_WITHIN, Guarded, GuardError, Guarding
from tests.support.readers import Readers


class GuardingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Readers()
        self.guards: list[socket.socket] = []
        self.helper = subprocess.Popen(["/bin/sleep", "60"])
        self.addCleanup(self.helper.wait)
        self.addCleanup(self.helper.kill)
        self.guarding = Guarding(self.reactor, self.execute, self.reactor.seconds)
        self.lost: list[str] = []

    def execute(self, channel: int) -> int:
        """Be the guard: a socket that the test reads."""
        self.guards.append(socket.socket(fileno=os.dup(channel)))
        self.addCleanup(self.guards[-1].close)
        return self.helper.pid

    def up(self) -> socket.socket:
        """Have a guard that is there."""
        ready = self.guarding.ready()
        self.addCleanup(self.guarding.stop)
        self.guards[-1].send(b"up")
        self.guarding.doRead()
        self.successResultOf(ready)
        return self.guards[-1]

    def run_of(self) -> Guarded:
        return self.guarding.guard(self.lost.append)

    def heard(self) -> list[bytes]:
        """Return what the guard was told."""
        heard = []
        while select.select([self.guards[-1]], [], [], 0)[0] and (said := self.guards[-1].recv(256)):
            heard.append(said)
        return heard

    def test_a_guard_is_begun_when_it_is_wanted(self) -> None:
        """Once, for all that have a lock; who wants it waits until it has said that it is there."""
        first, second = self.guarding.ready(), self.guarding.ready()
        self.assertEqual(len(self.guards), 1)
        self.assertNoResult(first)
        self.guards[0].send(b"up")
        self.guarding.doRead()
        self.successResultOf(first)
        self.successResultOf(second)
        self.successResultOf(self.guarding.ready())
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.guarding.stop()
        self.assertEqual((self.heard(), self.reactor.readers), ([b"bye"], set()))

    def test_a_guard_that_cannot_be_executed(self) -> None:
        """Nobody gets it, with the reason, and the next one tries again."""

        def fail(channel: int) -> int:
            raise SpawnError("cannot execute python3: no such file")

        guarding = Guarding(self.reactor, fail, self.reactor.seconds)
        for _ in range(2):
            error = self.failureResultOf(guarding.ready(), GuardError)
            self.assertIn("no such file", str(error.value))
        self.assertEqual((self.reactor.getDelayedCalls(), self.reactor.readers), ([], set()))

    def test_a_guard_that_does_not_start(self) -> None:
        """It is given up after a while, killed, and another one is begun."""
        ready = self.guarding.ready()
        self.reactor.advance(UP_WITHIN)
        self.failureResultOf(ready, GuardError)
        self.assertEqual(self.helper.wait(), -signal.SIGKILL)
        again = self.guarding.ready()
        self.assertEqual(len(self.guards), 2)
        again.cancel()
        self.failureResultOf(again)
        self.guarding.stop()

    def test_deadlines_are_told(self) -> None:
        """Each with all its digits; what is over is told too."""
        self.up()
        run = self.run_of()
        run.keep(1234567.0123456789)
        self.guards[0].send(b"kept 1")
        run.keep(0.5)
        run.over()
        self.assertEqual(self.heard(), [b"keep 1 1234567.0123456789", b"keep 1 0.5", b"over 1"])

    def test_a_guard_that_does_not_answer_is_no_guard(self) -> None:
        """It may be stopped: then it is killed, and what it guarded with it."""
        self.up()
        run = self.run_of()
        run.keep(1.0)
        run.keep(2.0)
        self.assertEqual(self.lost[0], "the guard does not answer")
        self.assertEqual(self.helper.wait(), -signal.SIGKILL)

    def test_a_guard_that_has_gone(self) -> None:
        """All that it guarded hear it, once; nothing is told to nobody, and a new one can be had."""
        guard = self.up()
        runs = [self.run_of(), self.run_of()]
        guard.close()
        self.guarding.doRead()
        self.assertEqual(self.lost, ["the guard is gone"] * 2)
        with self.assertRaises(GuardError):
            runs[0].begin()
        runs[0].over()
        self.up()
        self.assertEqual(len(self.guards), 2)

    def test_what_it_has_killed(self) -> None:
        """The run hears it; one that is over does not."""
        guard = self.up()
        run = self.run_of()
        guard.send(b"killed 1")
        self.guarding.doRead()
        self.assertEqual(self.lost, [""])
        run.over()
        guard.send(b"killed 1")
        self.guarding.doRead()
        self.assertEqual(self.lost, [""])

    def test_the_process_says_who_it_is(self) -> None:
        """With a descriptor of itself, so that nobody else can be meant."""
        guard = self.up()
        run = self.run_of()
        run.deadline = 1.0
        run.begin()
        said, descriptors, _, _ = socket.recv_fds(guard, 256, 1)
        self.addCleanup(os.close, descriptors[0])
        self.assertEqual(said, b"begun 1 %d" % os.getpid())
        signal.pidfd_send_signal(descriptors[0], 0)

    def test_who_comes_too_late_does_not_begin(self) -> None:
        """Procwrap was stopped between the grant and the start: the command is never executed."""
        self.up()
        run = self.run_of()
        run.deadline = 1.0
        self.reactor.advance(1.0)
        with self.assertRaisesRegex(GuardError, "lost before"):
            run.begin()
