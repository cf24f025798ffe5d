"""/live, as the status page sees it."""

from __future__ import annotations

import gc
from typing import Any

from procwrap.core.events import Declared, End, Level, Notice, ProbeResult, RoundEnded, UsageSampled
from procwrap.core.lifecycle import State
from procwrap.core.limits import Usage
from procwrap.core.reloads import Forgotten
from procwrap.spec.process import ProcessSpec
from procwrap.web import following
from procwrap.web.live import PERIOD
from procwrap.web.opening import Opening
from tests.support.following import FollowingCase, Told, Watcher
from tests.support.web import WALL


class LiveTests(FollowingCase):
    def live(self, **how: Any) -> Watcher:
        """Let a page follow, and give it time to begin."""
        watcher = self.follow("/live", **how)
        self.pass_time()
        return watcher

    def pass_time(self) -> None:
        """Let what has changed be written."""
        self.host.clock.pump([0.0, 0.0, PERIOD, 0.0])

    def round(self, failures: int = 0, seconds: float = 0.1) -> None:
        """End a round of a check."""
        result = ProbeResult("tcp", not failures, "refused" if failures else "", seconds)
        self.host.board.tell(RoundEnded("api", "readiness", (result,), failures, 3, True, False, WALL))

    def sample(self, cpu: float = 1.0) -> None:
        """Measure a process."""
        self.host.board.tell(UsageSampled({"api": Usage(4096, cpu, 1, 1, 3)}))

    def test_it_begins_with_everything(self) -> None:
        """All processes in the order of the config, with their history, and the host; no command lines."""
        self.host.specs = {"api": ProcessSpec("api", "/bin/s3cret", memory_limit=1 << 20)}
        self.host.spawned("api", 31)
        self.host.clock.advance(5)
        self.sample()
        self.round()
        [told] = self.live().told
        self.assertEqual(told.kind, "snapshot")
        self.assertEqual(told.json["host"]["healthy"], False)
        self.assertEqual([shown["name"] for shown in told.json["processes"]], ["api", "db"])
        self.assertEqual(
            told.json["processes"][0]["history"],
            {"usage": [[0.0, 0.2, 4096]], "rounds": {"readiness": [[0.0, True, 0.1]]}},
        )
        self.assertNotIn("s3cret", told.data)

    def test_a_change(self) -> None:
        """The whole process is told a moment after something about it has changed."""
        page = self.live()
        self.host.spawned("api", 31)
        self.host.clock.advance(0.01)
        self.assertEqual(page.kinds, ["snapshot", "process"])
        self.assertEqual(page.told[-1].json["process"]["pid"], 31)

    def test_many_changes(self) -> None:
        """However often a process changes, it is told ten times a second; its last state always is."""
        page = self.live()
        for number in range(200):
            self.host.becomes("api", State.BACKOFF, str(number))
            self.host.clock.advance(0.005)
        self.pass_time()
        self.assertIn(page.kinds.count("process"), range(9, 13))
        self.assertEqual(page.told[-1].json["process"]["reason"], "199")

    def test_rounds(self) -> None:
        """Each round is told; the process along with it only where it went otherwise than the last one."""
        page = self.live()
        for failures in (0, 0, 1, 2, 0):
            self.round(failures)
            self.pass_time()
        self.assertEqual(page.kinds[1:], [*("process", "round"), "round", *("process", "round") * 3])
        self.assertEqual(
            page.told[2].json,
            {
                "name": "api",
                "check": "readiness",
                "at": "2026-11-21T20:03:04.567Z",
                "healthy": True,
                "seconds": 0.1,
            },
        )

    def test_usage(self) -> None:
        """A sample is one event for all processes."""
        self.host.spawned("api", 31)
        page = self.live()
        self.host.clock.advance(5 - self.host.clock.seconds())
        self.sample()
        self.pass_time()
        told = page.told[-1]
        self.assertEqual(
            (told.kind, told.json["usages"]), ("usage", {"api": {"cpu": 0.2, "memoryBytes": 4096}})
        )

    def test_the_host(self) -> None:
        """Readiness and the shutdown are told when they change."""
        page = self.live()
        self.host.all_up()
        self.pass_time()
        self.host.shut_down()
        self.pass_time()
        hosts = [told.json for told in page.told if told.kind == "host"]
        self.assertEqual(
            [(told["healthy"], told["shutdown"]) for told in hosts], [(True, False), (False, True)]
        )

    def test_processes_come_and_go(self) -> None:
        """What a reload removes is gone, what it adds is there."""
        page = self.live()
        self.host.board.tell(Declared(("api", "db", "new")))
        self.host.board.tell(Forgotten("db"))
        self.pass_time()
        self.assertEqual(page.kinds[1:], ["gone", "process"])
        self.assertEqual(page.told[1].json, {"name": "db"})
        self.assertEqual(page.told[2].json["process"]["name"], "new")

    def test_what_is_not_told(self) -> None:
        """Notices are for the log."""
        page = self.live()
        self.host.board.tell(Notice(Level.ERROR, "odd", "api"))
        self.pass_time()
        self.assertEqual(page.kinds, ["snapshot"])

    def test_those_who_come_together(self) -> None:
        """They share one snapshot, and each gets what has happened since."""
        first = self.follow("/live")
        self.host.spawned("api", 31)
        second = self.follow("/live")
        self.pass_time()
        self.host.ended("api", End(1))
        third = self.live()
        for page in (first, second, third):
            self.assertEqual(page.kinds, ["snapshot", "process", "process"])
        self.assertEqual(first.body, third.body)
        self.host.clock.advance(1.0)
        self.assertEqual(self.live().kinds, ["snapshot"])

    def test_while_it_is_written(self) -> None:
        """However long that takes, nothing of what happens meanwhile is lost for those who wait for it."""
        first = self.follow("/live")
        self.host.becomes("api", State.BACKOFF, "exit code 1")
        self.host.clock.rightNow += 2.0  # nobody has time to write
        second = self.follow("/live")
        self.pass_time()
        for page in (first, second):
            self.assertEqual(page.kinds[0], "snapshot")
            self.assertEqual(self.reason(page.told[-1]), "exit code 1")

    def reason(self, told: Told) -> str:
        """Return what was told about the first process."""
        shown = told.json["processes"][0] if told.kind == "snapshot" else told.json["process"]
        return str(shown["reason"])

    def test_a_long_time(self) -> None:
        """What was told long ago is kept for nobody."""
        self.live()
        for number in range(300):
            self.host.becomes("api", State.BACKOFF, str(number))
            self.host.clock.advance(PERIOD)
        gc.collect()
        kept = [found for found in gc.get_objects() if isinstance(found, Opening)]
        self.assertLess(sum(opening._later_size for opening in kept), 20_000)

    def test_one_who_leaves_early(self) -> None:
        """Nothing is written for one who is gone before it has begun."""
        self.follow("/live")
        self.leave()
        self.watchers.clear()
        self.assertEqual(self.live().kinds, ["snapshot"])

    def test_one_who_has_missed_something(self) -> None:
        """It begins anew with all that is true, so that what it shows is right in the end."""
        self.patch(following, "SHARE", 4000)
        self.patch(following, "MOST", 4000)
        page = self.live(most=1000)
        page.read()
        for number in range(50):
            self.host.becomes("api", State.BACKOFF, str(number))
            self.host.clock.advance(PERIOD)
        for _ in range(50):
            page.read()
            self.host.clock.advance(0)
        last = page.told[-1]
        self.assertEqual((last.kind, last.json["processes"][0]["reason"]), ("snapshot", "49"))
        self.assertNotIn("dropped", page.kinds)
        self.host.becomes("api", State.RUNNING)
        self.pass_time()
        self.assertEqual(page.kinds[-1], "process")
