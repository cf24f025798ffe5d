from __future__ import annotations

import array
import os
import socket
import struct
import tempfile
import time

from twisted.trial.unittest import SynchronousTestCase

from procwrap.children.boundedreader import MOST
from procwrap.children.listening import Listening, NotifySockets
from procwrap.children.notifications import STATUS_EVERY, Notifications
from procwrap.core.events import Event, Level, Notice
from procwrap.core.notifications import LONGEST, Notified
from procwrap.spec.probe import Check, NotifyProbe
from procwrap.spec.process import ProcessSpec
from tests.support.readers import Readers

SOCKET = NotifyProbe()
DESCRIPTOR = NotifyProbe(fd=7)
US = os.getpgrp()
"""The group of the test itself: what the test says comes from the process."""
SOMEBODY_ELSE = 2**22 + 1
"""A group that cannot be: what the test says comes from a stranger."""


class NotificationsTests(SynchronousTestCase):
    """Real sockets and pipes, on a reactor that reads when it is told to."""

    def setUp(self) -> None:
        self.reactor = Readers()
        self.told: list[Notice] = []
        self.changes = 0
        self.heard = Notifications(self.reactor, self.tell)
        self.heard.watch("api", self.changed)
        place = tempfile.TemporaryDirectory(dir="/tmp", prefix="p")
        self.addCleanup(place.cleanup)
        self.sockets = NotifySockets((place.name,))
        self.sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.addCleanup(self.sender.close)
        self.addCleanup(lambda: self.assertEqual(self.reactor.getDelayedCalls(), []))
        self.addCleanup(lambda: self.assertEqual(self.reactor.readers, set()))

    def tell(self, event: Event) -> None:
        assert isinstance(event, Notice)
        self.assertEqual(event.about, "api")
        self.told.append(event)

    def changed(self) -> None:
        self.changes += 1

    def begin(self, *probes: NotifyProbe, group: int = US) -> Listening:
        """Begin a run; it ends with the test at the latest."""
        checks = dict(zip(("readiness", "liveness"), (Check((probe,)) for probe in probes), strict=False))
        listening = self.sockets.open(ProcessSpec("api", "/bin/api", **checks))
        assert listening is not None
        end_run = self.heard.begin("api", group, listening)

        def end() -> None:
            end_run()
            # Its descriptors are closed in the next turn of the reactor.
            self.reactor.advance(0)

        self.end = end
        self.addCleanup(end)
        return listening

    def say(self, listening: Listening, *messages: bytes) -> None:
        for message in messages:
            self.sender.sendto(message, listening.environment["NOTIFY_SOCKET"])

    def texts(self) -> list[str]:
        return [notice.text for notice in self.told]

    def test_without_a_run(self) -> None:
        """A process that has not run has said nothing."""
        self.assertEqual(self.heard.of("api"), Notified())

    def test_ready(self) -> None:
        """It is heard in the next turn of the reactor, and whoever looks is told, once."""
        self.reactor.advance(5.0)
        listening = self.begin(SOCKET)
        self.say(listening, b"READY=1", b"READY=1")
        self.assertEqual(self.changes, 0)
        self.reactor.turn()
        self.assertEqual((self.heard.of("api").ready_at, self.changes), (5.0, 1))

    def test_what_waits_is_heard_by_whoever_asks(self) -> None:
        """Also when the reactor had no time to read it: nobody is punished for that."""
        listening = self.begin(SOCKET)
        self.say(listening, b"READY=1\nWATCHDOG=1")
        self.assertEqual(self.heard.of("api").ready_at, 0.0)

    def test_each_turning_point_is_told(self) -> None:
        """Ready, stopping, trigger; not what it says in between."""
        listening = self.begin(SOCKET)
        for message in (
            b"WATCHDOG=1",
            b"READY=1",
            b"WATCHDOG=1",
            b"STATUS=x",
            b"WATCHDOG=trigger",
            b"STOPPING=1",
        ):
            self.say(listening, message)
            self.reactor.turn()
        self.assertEqual(self.changes, 3)

    def test_a_new_run(self) -> None:
        """What the last one said counts no more, nor what is still under way to it."""
        first = self.begin(SOCKET)
        self.say(first, b"READY=1")
        self.reactor.turn()
        path = first.environment["NOTIFY_SOCKET"]
        self.end()
        self.begin(SOCKET)
        with self.assertRaises(OSError):
            self.sender.sendto(b"READY=1", path)
        self.reactor.turn()
        self.assertEqual(self.heard.of("api"), Notified())

    def test_last_words(self) -> None:
        """What it said just before its end is in the log."""
        listening = self.begin(SOCKET)
        self.say(listening, b"STATUS=starting", b"STATUS=no such file")
        self.end()
        self.end()
        self.assertEqual(self.texts(), ["says: starting", "says: no such file"])

    def test_strangers(self) -> None:
        """They are refused: told once, counted always, and what they say plays no part."""
        listening = self.begin(SOCKET, group=SOMEBODY_ELSE)
        self.say(listening, b"READY=1", b"STATUS=lies", b"MAINPID=1")
        self.reactor.turn()
        self.assertEqual(self.heard.of("api"), Notified(refused=3))
        self.assertEqual(len(self.told), 1)
        self.assertIn(f"pid {os.getpid()} (uid {os.geteuid()}) was refused", self.told[0].text)
        self.assertIs(self.told[0].level, Level.WARNING)

    def test_status(self) -> None:
        """A change of it is told, at most once a second, and the last one always."""
        listening = self.begin(SOCKET)
        for number in range(50):
            self.say(listening, b"STATUS=%d" % number)
            self.heard.of("api")
            self.reactor.advance(STATUS_EVERY / 25)
        self.reactor.advance(STATUS_EVERY)
        self.reactor.advance(STATUS_EVERY)
        self.assertEqual(self.texts()[0], "says: 0")
        self.assertEqual(self.texts()[-1], "says: 49")
        self.assertLess(len(self.told), 5)
        self.say(listening, b"STATUS=49", b"STATUS=")
        self.heard.of("api")
        self.assertLess(len(self.told), 5)

    def test_main_pid(self) -> None:
        """Told once a run, and ignored."""
        listening = self.begin(SOCKET)
        self.say(listening, b"MAINPID=1\nREADY=1", b"MAINPID=2")
        self.reactor.turn()
        self.assertEqual(len(self.texts()), 1)
        self.assertIn("MAINPID is ignored", self.texts()[0])

    def test_far_too_long(self) -> None:
        """A message over the limit is ignored as a whole, and told once; the next one counts."""
        listening = self.begin(SOCKET)
        padding = b"x" * LONGEST
        self.say(listening, b"STOPPING=1\n" + padding, b"STOPPING=1\n" + padding, b"READY=1\n" + padding[9:])
        self.reactor.turn()
        said = self.heard.of("api")
        self.assertEqual((said.stopping, said.ready_at), (False, 0.0))
        self.assertEqual(self.texts(), ["a notification of more than 4096 bytes was ignored"])

    def test_descriptors_sent_along(self) -> None:
        """None is kept, however many come: that is what completes sd_notify_barrier(3)."""
        listening = self.begin(SOCKET)
        for count in (1, 253):
            reading, writing = os.pipe()
            passed = array.array("i", [writing] * count)
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)]
            self.sender.sendmsg([b"BARRIER=1"], rights, 0, listening.environment["NOTIFY_SOCKET"])
            os.close(writing)
            before = len(os.listdir("/proc/self/fd"))
            self.reactor.turn()
            self.assertEqual(len(os.listdir("/proc/self/fd")), before)
            self.assertEqual(os.read(reading, 1), b"")
            os.close(reading)

    def test_forged_credentials(self) -> None:
        """Root may claim to be another process; then it is judged as that one."""
        if os.geteuid() != 0:
            return
        listening = self.begin(SOCKET)
        forged = [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, struct.pack("3i", 1, 0, 0))]
        self.sender.sendmsg([b"READY=1"], forged, 0, listening.environment["NOTIFY_SOCKET"])
        self.reactor.turn()
        self.assertEqual(self.heard.of("api"), Notified(refused=1))

    def test_a_line(self) -> None:
        """The first newline makes it ready; our end is closed then."""
        listening = self.begin(DESCRIPTOR)
        os.write(listening.writing, b"almost ")
        self.reactor.turn()
        self.assertIsNone(self.heard.of("api").ready_at)
        os.write(listening.writing, b"there\nand more")
        self.reactor.turn()
        self.assertEqual((self.heard.of("api").ready_at, self.changes), (0.0, 1))
        self.reactor.advance(0)
        with self.assertRaises(BrokenPipeError):
            os.write(listening.writing, b"x")

    def test_no_line(self) -> None:
        """Closed without one, it will never be ready in this run."""
        listening = self.begin(DESCRIPTOR)
        os.write(listening.writing, b"ready")
        listening.executed()
        self.reactor.turn()
        self.assertEqual(self.heard.of("api"), Notified(closed=True))

    def test_no_end_of_a_line(self) -> None:
        """However much is written without one, reading it is bounded."""
        listening = self.begin(DESCRIPTOR)
        os.write(listening.writing, b"x" * 60_000)
        self.reactor.turn()
        self.assertEqual(self.heard.of("api"), Notified())

    def test_both_ways(self) -> None:
        """Ready by its line, and fed on its socket."""
        listening = self.begin(DESCRIPTOR, NotifyProbe(watchdog=1.0))
        os.write(listening.writing, b"\n")
        self.reactor.turn()
        self.reactor.advance(3.0)
        self.say(listening, b"WATCHDOG=1")
        said = self.heard.of("api")
        self.assertEqual((said.ready_at, said.alive_at), (0.0, 3.0))

    def test_the_worst_messages(self) -> None:
        """A turn stays short whatever is said: no more than a few milliseconds, here with a wide margin."""
        listening = self.begin(SOCKET)
        worst = [b"READY=1\n" * (LONGEST // 8), b"\n" * LONGEST, b"STATUS=" + b"\xff" * (LONGEST - 7)]
        took = []
        for message in worst:
            self.reactor.advance(1.0)
            for _ in range(5):
                self.say(listening, message)
            began = time.perf_counter()
            self.reactor.turn()
            took.append((time.perf_counter() - began) / 5 * MOST)
        self.assertLess(max(took), 0.25, took)

    def test_nothing_stays_open(self) -> None:
        """Not even after a thousand runs."""
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(1000):
            self.say(self.begin(SOCKET, DESCRIPTOR), b"READY=1\nSTATUS=up")
            self.reactor.turn()
            self.end()
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)
