"""Answers without an end, and those who read them slowly or not at all."""

from __future__ import annotations

from procwrap.core.events import Spawned
from procwrap.core.lifecycle import State
from procwrap.web import following
from procwrap.web.following import MOST, RESERVE, SHARE
from procwrap.web.limits import Limits
from procwrap.web.sse import ALIVE
from tests.support.following import LOGS, FollowingCase
from tests.support.web import WALL


class TransportTests(FollowingCase):
    def test_the_head_comes_at_once(self) -> None:
        """A browser knows that it is connected before anything happens."""
        head = self.follow().head
        self.assertTrue(head.startswith(b"HTTP/1.1 200 OK\r\n"), head)
        self.assertIn(b"Content-Type: text/event-stream; charset=utf-8", head)
        self.assertIn(b"Cache-Control: no-store", head)
        self.assertNotIn(b"Content-Length", head)

    def test_signs_of_life(self) -> None:
        """Every ten seconds, as comments, however many follow."""
        watchers = [self.follow(), self.follow("/live")]
        self.host.clock.pump([1.0] * 35)
        for watcher in watchers:
            self.assertEqual(watcher.body.count(ALIVE), 4)

    def test_head(self) -> None:
        """HEAD is answered without following anything."""
        watcher = self.follow(method=b"HEAD")
        self.assertIn(b"text/event-stream", watcher.head)
        self.assertNotIn(b"Content-Length", watcher.head)
        self.assertEqual(self.host.recents["api"]._takers, ())

    def test_one_who_leaves(self) -> None:
        """What is not read by then is forgotten."""
        watcher = self.follow(most=100)
        self.print(10)
        watcher.leave()
        self.watchers.remove(watcher)
        self.leave()

    def test_the_end(self) -> None:
        """When procwrap ends, answers are finished as they should be, also where somebody reads slowly."""
        self.site.doStart()
        watchers = [
            self.follow(),
            self.follow("/live"),
            self.follow("/api/events?follow"),
            self.follow(most=100),
        ]
        self.host.clock.advance(0)
        self.print(300)
        self.site.doStop()
        for watcher in watchers:
            self.assertTrue(watcher.wire.disconnecting)
            watcher.read()
            self.assertTrue(watcher.is_whole)

    def test_too_many(self) -> None:
        """Those who follow and those who wait share a hundred seats."""
        self.host.becomes("api", State.UNHEALTHY)
        for _ in range(20):
            self.follow()
            self.follow("/live")
            self.follow("/api/events?follow")
            self.follow("/readiness?wait")
            self.follow("/liveness?wait")
        for target in (LOGS, "/live", "/api/events?follow", "/readiness?wait", "/liveness?wait"):
            refused = self.follow(target)
            self.assertTrue(refused.head.startswith(b"HTTP/1.1 503"), target)
            self.assertIn(b"Retry-After: 5", refused.head)
        self.watchers.pop(0).leave()
        self.assertIn(b"200 OK", self.follow("/live").head)


class SlowTests(FollowingCase):
    def test_all_of_it_arrives(self) -> None:
        """What comes while somebody reads what came before waits for it."""
        slow = self.follow(most=2000)
        self.print(100)
        self.assertLess(self.lines_of(slow), 5)
        for _ in range(100):
            slow.read()
        self.assertEqual(self.lines_of(slow), 100)
        self.assertNotIn("dropped", slow.kinds)

    def test_one_who_does_not_read(self) -> None:
        """It is bounded what waits for it; what is too much is dropped, and it is told how much that was."""
        slow = self.follow(most=100_000)
        self.print(6000)
        waiting = self.site.resource.end.__self__._waiting
        self.assertLessEqual(waiting.size, MOST)
        for _ in range(100):
            slow.read()
        [dropped] = [told for told in slow.told if told.kind == "dropped"]
        self.assertEqual(self.lines_of(slow) + int(dropped.data), 6000)
        self.assertGreater(self.lines_of(slow), 3000)
        self.assertEqual(waiting.size, 0)
        self.print(1)
        self.assertEqual(self.lines_of(slow) + int(dropped.data), 6001)

    def test_many_who_do_not_read(self) -> None:
        """However many there are, what waits for them together is bounded; each has a share of its own."""
        slow = [self.follow(most=2000) for _ in range(40)]
        self.print(5000)
        waiting = self.site.resource.end.__self__._waiting
        self.assertLessEqual(waiting.size, RESERVE + 40 * SHARE)
        last = self.follow(most=2000)
        self.print(100)
        for _ in range(100):
            last.read()
        self.assertEqual(self.lines_of(last), 100)
        self.assertTrue(all(watcher.wire.value() for watcher in slow))

    def test_patience(self) -> None:
        """One who reads nothing for ten seconds is dropped, and costs nothing any more."""
        slow = self.follow(most=2000)
        self.print(10)
        self.host.clock.advance(Limits().patience - 0.1)
        self.assertFalse(slow.wire.aborted)
        self.host.clock.advance(0.2)
        self.assertTrue(slow.wire.aborted)

    def test_events_are_made_up_for(self) -> None:
        """Who could not be sent all events gets the others out of the journal later: none is missing."""
        self.patch(following, "MOST", SHARE)
        slow = self.follow("/api/events?follow", most=10_000)
        for pid in range(4000):
            self.host.board.tell(Spawned("api", pid, 0.0, WALL))
        for _ in range(4000):
            slow.read()
        numbers = [int(told.id) for told in slow.told if told.kind == "lifecycle"]
        missing = sum(int(told.data) for told in slow.told if told.kind == "dropped")
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual((len(numbers) + missing, missing > 0), (4000, True))
        self.assertEqual(slow.told[-1].json["pid"], 3999)
