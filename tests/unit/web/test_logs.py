"""/api/processes/NAME/logs and /api/events, as operators ask for them."""

from __future__ import annotations

import json

from procwrap.core.events import Spawned
from procwrap.core.reloads import Forgotten
from tests.support.following import FollowingCase, Watcher
from tests.support.web import WALL


class LogTests(FollowingCase):
    def text(self, target: str) -> bytes:
        """Return the body of an answer that has an end."""
        head, _, body = self.follow(target).wire.value().partition(b"\r\n\r\n")
        self.assertIn(b"HTTP/1.1 200 OK", head)
        self.assertIn(b"Content-Type: text/plain; charset=utf-8", head)
        return body

    def test_the_last_records(self) -> None:
        """A hundred, or as many as are asked for, as they stand on stdout."""
        for number in range(300):
            self.host.recents["api"].add(b"%d\n" % number, 1)
        self.assertEqual(self.text("/api/processes/api/logs?lines=2"), b"298\n299\n")
        self.assertEqual(self.text("/api/processes/api/logs").count(b"\n"), 100)
        self.assertEqual(self.text("/api/processes/api/logs?lines=1000").count(b"\n"), 300)
        self.assertEqual(self.text("/api/processes/db/logs"), b"")
        self.assertEqual(self.text("/api/processes/api/logs?lines=0"), b"")
        self.assertEqual(self.text("/api/processes/api/logs?lines=1&follow=false"), b"299\n")

    def test_many_bytes(self) -> None:
        """However long the records are, all that is kept can be read."""
        for _ in range(10):
            self.host.recents["api"].add(b"x" * 100_000 + b"\n", 1)
        self.assertEqual(len(self.text("/api/processes/api/logs")), 1_000_010)

    def test_bad_questions(self) -> None:
        """What is no number of lines is 400, what is no process 404."""
        for target, code in (
            ("api/logs?lines=many", 400),
            ("api/logs?lines=-1", 400),
            ("api/logs?lines=1e3", 400),
            ("api/logs?lines=%D9%A1", 400),
            ("api/logs?lines=99999999999999999999&follow", 400),
            ("nobody/logs", 404),
            ("nobody/logs?follow", 404),
        ):
            self.assertEqual(self.follow(f"/api/processes/{target}").wire.codes, [code], target)

    def test_following(self) -> None:
        """First the last records, then all that come: a line of data for each."""
        self.host.recents["api"].add(b"one\ntwo\nthree\n", 3)
        watcher = self.follow("/api/processes/api/logs?follow&lines=2")
        self.host.recents["api"].add(b"four\n", 1)
        self.host.recents["db"].add(b"not this one\n", 1)
        self.host.recents["api"].add(b"five\n\n six: 7\n", 3)
        self.assertEqual([told.data for told in watcher.told], ["two\nthree", "four", "five\n\n six: 7"])
        self.assertEqual(set(watcher.kinds), {"message"})

    def test_bytes_that_would_end_a_line(self) -> None:
        """A carriage return of a process whose output is passed on as it is ends no line for the client."""
        watcher = self.follow("/api/processes/api/logs?follow")
        self.host.recents["api"].add(b"10%\r20%\rid: 7\xff\n", 1)
        self.assertEqual(watcher.body.partition(b"\n\n")[2], b"data: 10% 20% id: 7\xff\n\n")

    def test_a_large_chunk(self) -> None:
        """It becomes several events, cut between records."""
        lines = [b"%06d %b" % (number, b"x" * 93) for number in range(5000)]
        watcher = self.follow("/api/processes/api/logs?follow")
        self.host.recents["api"].add(b"\n".join(lines) + b"\n" + b"y" * 200_000 + b"\nend\n", 5002)
        told = watcher.told
        self.assertEqual(
            "\n".join(each.data for each in told).encode(), b"\n".join([*lines, b"y" * 200_000, b"end"])
        )
        self.assertLess(max(len(each.data) for each in told[:-2]), 64 * 1024)

    def test_a_process_that_goes(self) -> None:
        """When a reload removes the process, nothing more can come: the answer ends."""
        watcher, other = self.follow(), self.follow("/api/processes/db/logs?follow")
        self.host.board.tell(Forgotten("api"))
        self.assertTrue(watcher.is_whole)
        self.assertFalse(other.is_whole)


class EventTests(FollowingCase):
    def pids(self, watcher: Watcher) -> list[int]:
        return [told.json["pid"] for told in watcher.told if told.kind == "lifecycle"]

    def start(self, *pids: int) -> None:
        for pid in pids:
            self.host.board.tell(Spawned("api", pid, 0.0, WALL))

    def test_the_last_events(self) -> None:
        """As JSON, the oldest first."""
        self.start(1, 2)
        answered = self.follow("/api/events").wire.value().partition(b"\r\n\r\n")[2]
        [first, second] = json.loads(answered)["events"]
        self.assertEqual(
            first.items() | {("pid", 1), ("process", "api"), ("event", "started")}, first.items()
        )
        self.assertEqual(second["id"], first["id"] + 1)

    def test_following(self) -> None:
        """First the last events, then all that come, each with its id."""
        self.start(1)
        watcher = self.follow("/api/events?follow")
        self.start(2, 3)
        self.assertEqual(self.pids(watcher), [1, 2, 3])
        self.assertEqual([int(told.id) for told in watcher.told], [told.json["id"] for told in watcher.told])

    def test_resuming(self) -> None:
        """Who was cut off gets what came meanwhile."""
        self.start(1, 2)
        last = self.follow("/api/events?follow").told[0].id
        self.start(3)
        self.assertEqual(self.pids(self.follow("/api/events?follow", last=last)), [2, 3])
        for odd in ("", "x", "-1", "1" * 5000):
            self.assertEqual(self.pids(self.follow("/api/events?follow", last=odd)), [1, 2, 3])

    def test_resuming_too_late(self) -> None:
        """Who was away for longer than the journal remembers is told how much it has missed."""
        self.start(1)
        last = self.follow("/api/events?follow").told[0].id
        self.start(*range(2, 1102))
        watcher = self.follow("/api/events?follow", last=last)
        self.assertEqual((watcher.told[0].kind, watcher.told[0].data), ("dropped", "100"))
        self.assertEqual(self.pids(watcher), list(range(102, 1102)))
