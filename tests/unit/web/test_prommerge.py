from __future__ import annotations

import gzip
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.lifecycle import State
from procwrap.web.prommerge import AT_ONCE, WAITING
from procwrap.web.scrape import CONCURRENCY
from tests.support.scraped import World

GZIP = b"Content-Encoding: gzip\r\n"


class PrommergeTests(SynchronousTestCase):
    def body(self, asked: Any) -> bytes:
        """The samples of an answer that is there, without what is said about them."""
        reply = self.successResultOf(asked)
        self.assertEqual(reply.code, 200)
        body = reply.body + b"".join(reply.pieces)
        return b"".join(line for line in body.splitlines(True) if not line.startswith(b"#"))

    def lost(self, world: World, asked: Any, why: str) -> None:
        """The target ``bad`` is left out for a reason, which the log tells once; the other one is there."""
        self.assertEqual(self.body(asked), b'a{process_name="good"} 1\n')
        self.assertEqual(world.notices, [f"warning bad: bad/m: {why}; its metrics are not in /prommerge"])
        self.assertEqual(self.flushLoggedErrors(), [])

    def both(self, **settings: Any) -> tuple[World, Any]:
        """Two targets that were asked; the good one has answered."""
        world = World("good", "bad", **settings)
        asked = world.ask()
        world.answer("good", b"a 1\n")
        return world, asked


class MergeTests(PrommergeTests):
    def test_nothing_to_merge(self) -> None:
        """Without a healthy process that has metrics it is 204, and nobody is asked."""
        self.assertEqual(World().ask().code, 204)
        world = World("api")
        world.becomes("api", State.UNHEALTHY)
        self.assertEqual(world.ask().code, 204)
        self.assertEqual(world.targets.wires, {})

    def test_only_healthy_ones(self) -> None:
        """A process that is not ready is not asked."""
        world = World("api", "db")
        world.becomes("db", State.STARTING)
        asked = world.ask()
        world.answer("api", b"a 1")
        self.assertEqual(self.body(asked), b'a{process_name="api"} 1\n')
        self.assertEqual(list(world.targets.wires), ["api"])

    def test_the_format_is_negotiated(self) -> None:
        """Who prefers OpenMetrics gets it, and the targets are asked for the same."""
        world = World("api")
        for accept, kind, first in (
            ("text/plain;version=0.0.4", b"text/plain; version=0.0.4; charset=utf-8", b"text/plain"),
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1",
                b"application/openmetrics-text; version=1.0.0; charset=utf-8",
                b"application/openmetrics-text",
            ),
        ):
            asked = world.ask(accept=accept)
            self.assertIn(b"Accept: " + first, world.targets.wire("api").value())
            world.answer("api", b"a 1\n")
            self.assertEqual(self.successResultOf(asked).content_type, kind)

    def test_the_request(self) -> None:
        """A target gets its headers, is offered gzip, and its connection is used again."""
        world = World("api")
        for _ in range(3):
            asked = world.ask()
            world.answer("api", b"a 1\n")
            self.body(asked)
        [wire] = world.targets.wires["api"]
        sent = wire.value().lower()
        self.assertEqual(sent.count(b"get /m?token=s3cret http/1.1\r\n"), 3)
        self.assertEqual(sent.count(b"\r\nx: y\r\n"), 3)
        self.assertEqual(sent.count(b"\r\naccept-encoding: gzip\r\n"), 3)

    def test_one_after_the_other(self) -> None:
        """Without --prommerge-async the second is asked when the first has answered."""
        world = World("a", "b", concurrent=False)
        asked = world.ask()
        self.assertEqual(list(world.targets.wires), ["a"])
        world.answer("a", b"x 1\n")
        world.answer("b", b"x 2\n")
        self.assertEqual(self.body(asked), b'x{process_name="a"} 1\nx{process_name="b"} 2\n')

    def test_a_hundred_at_a_time(self) -> None:
        """The 101st target is asked when another has answered."""
        hosts = [f"h{number:03d}" for number in range(CONCURRENCY + 1)]
        world = World(*hosts)
        asked = world.ask()
        self.assertEqual(len(world.targets.wires), CONCURRENCY)
        for host in hosts:
            world.answer(host, b"x 1\n")
        self.assertEqual(self.body(asked).count(b"\n"), CONCURRENCY + 1)

    def test_gzip(self) -> None:
        """A target may pack its answer."""
        world = World("api")
        asked = world.ask()
        world.answer("api", gzip.compress(b"a 1\n") + gzip.compress(b"b 2\n"), headers=GZIP)
        self.assertEqual(self.body(asked), b'a{process_name="api"} 1\nb{process_name="api"} 2\n')


class BadTargetTests(PrommergeTests):
    def test_status(self) -> None:
        """Another status than 200 is a failure, and its body is not read."""
        for status in (b"500 Broken", b"404 Gone", b"204 Nothing", b"301 Moved"):
            world, asked = self.both()
            world.answer("bad", b"a 2\n", status, b"Location: http://good/m\r\n")
            self.lost(world, asked, f"{status[:3].decode()}, expected 200")
            self.assertEqual(len(world.targets.wires["good"]), 1)

    def test_refused(self) -> None:
        """A target that nobody listens at."""
        world = World("good", "nobody")
        asked = world.ask()
        world.answer("good", b"a 1\n")
        self.assertEqual(self.body(asked), b'a{process_name="good"} 1\n')
        self.assertEqual(
            world.notices, ["warning nobody: nobody/m: refused; its metrics are not in /prommerge"]
        )

    def test_silence(self) -> None:
        """A target has 10 s, headers and body together; then its connection is closed."""
        for said in (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na 1"):
            world, asked = self.both()
            world.targets.wire("bad").say(said)
            world.wait(9.9)
            self.assertNoResult(asked)
            world.wait(0.2)
            self.lost(world, asked, "no answer within 10s")
            self.assertTrue(world.targets.wire("bad").lost)

    def test_the_patience_of_the_scraper(self) -> None:
        """Prometheus says how long it waits; half a second of it is for merging."""
        for sent, allowed in (("5", 4.5), ("0.6", 0.3), ("1e9", 120), ("-1", 10), ("nan", 10), ("x", 10)):
            world = World("bad")
            asked = world.ask(x_prometheus_scrape_timeout_seconds=sent)
            world.wait(allowed - 0.01)
            self.assertNoResult(asked)
            world.wait(0.02)
            self.assertEqual(self.body(asked), b"")

    def test_cut_off(self) -> None:
        """Less than was promised is nothing."""
        world, asked = self.both()
        world.targets.wire("bad").say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na 1\n")
        world.targets.wire("bad").hang_up()
        world.settle()
        self.lost(world, asked, "the answer was cut off or is not HTTP (ConnectionDone)")

    def test_until_the_end(self) -> None:
        """A body without a length ends with its connection."""
        world = World("api")
        asked = world.ask()
        world.targets.wire("api").say(b"HTTP/1.0 200 OK\r\n\r\na 1\n")
        world.targets.wire("api").hang_up()
        world.settle()
        self.assertEqual(self.body(asked), b'a{process_name="api"} 1\n')

    def test_too_much(self) -> None:
        """What is larger than the bound is not read further."""
        world, asked = self.both(most=1024 * 1024)
        wire = world.targets.wire("bad")
        wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
        wire.say(b"a 1\n" * 300_000)
        world.settle()
        self.lost(world, asked, "more than 1 MiB")
        self.assertTrue(wire.lost)

    def test_a_bomb(self) -> None:
        """A hundred megabytes in a hundred kilobytes are refused as well."""
        world, asked = self.both()
        world.answer("bad", gzip.compress(b"a 1\n" * 25_000_000), headers=GZIP)
        self.lost(world, asked, "more than 64 MiB")

    def test_bad_packing(self) -> None:
        """What cannot be unpacked in whole is nothing."""
        packed = gzip.compress(b"a 1\n" * 100)
        for body, why in (
            (b"a 1\n", "it is not gzip, which its Content-Encoding says"),
            (packed[:-9], "it was cut off within its gzip"),
        ):
            world, asked = self.both()
            world.answer("bad", body, headers=GZIP)
            self.lost(world, asked, why)
        world, asked = self.both()
        world.answer("bad", b"x", headers=b"Content-Encoding: br\r\n")
        self.lost(world, asked, "packed in a way that was not asked for")

    def test_not_http(self) -> None:
        """A server of another kind."""
        world, asked = self.both()
        world.targets.wire("bad").say(b"SSH-2.0-OpenSSH_9.2\r\n")
        world.settle()
        reply = self.body(asked)
        self.assertEqual(reply, b'a{process_name="good"} 1\n')
        self.assertIn("is not HTTP", world.notices[0])

    def test_garbage(self) -> None:
        """One bad line is enough to distrust the whole."""
        world, asked = self.both()
        world.answer("bad", b"b 1\n<html>\nc 2\n")
        self.lost(world, asked, "line 2: not a sample")

    def test_empty_on_failure(self) -> None:
        """With --prommerge-empty-on-failure nothing is better than a part."""
        world, asked = self.both(empty_on_failure=True)
        world.answer("bad", b"", b"500 No")
        self.assertEqual(self.body(asked), b"")


class LogTests(PrommergeTests):
    def scrape(self, world: World, good: bool) -> None:
        """One scrape of the one target."""
        asked = world.ask()
        world.answer("api", b"a 1\n" if good else b"?\n")
        self.successResultOf(asked)

    def test_once_a_change(self) -> None:
        """A failing target is told when it begins to fail and when it is back."""
        world = World("api")
        for good in (True, False, False, False, True, True, False):
            self.scrape(world, good)
        failed = "warning api: api/m: line 1: not a sample; its metrics are not in /prommerge"
        self.assertEqual(world.notices, [failed, "info api: api/m: its metrics are back", failed])

    def test_suppressed(self) -> None:
        """With --prommerge-suppress-errors nothing is told."""
        world = World("api", suppress_errors=True)
        self.scrape(world, False)
        self.scrape(world, True)
        self.assertEqual(world.notices, [])

    def test_contradictions(self) -> None:
        """A family that another target has otherwise is told once, while it stays so."""
        world = World("a", "b")
        for _ in range(3):
            asked = world.ask()
            world.answer("a", b"# TYPE up gauge\nup 1\n")
            world.answer("b", b"# TYPE up counter\nup 1\nx 1\n")
            self.assertEqual(self.body(asked), b'up{process_name="a"} 1\nx{process_name="b"} 1\n')
        text = "left out what another target has otherwise: up (counter, not gauge)"
        self.assertEqual(world.notices, [f"warning b: b/m: {text}"])


class CrowdTests(PrommergeTests):
    def test_a_client_that_leaves(self) -> None:
        """Nobody is asked any further, and nothing is left behind."""
        world = World("a", "b")
        asked = world.ask()
        world.targets.wire("a").say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na 1")
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        world.settle()
        self.assertTrue(all(wire.lost for wires in world.targets.wires.values() for wire in wires))
        self.assertEqual(world.clock.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_a_client_that_leaves_at_once(self) -> None:
        """Also when not all targets have been asked yet."""
        world = World(*(f"h{number}" for number in range(5)))
        asked = world.begin()
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        world.settle()
        self.assertEqual(world.clock.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_replicas_of_prometheus(self) -> None:
        """Two are served at the same time, some wait, and one too many is told to come back."""
        world = World("api")
        asked = [world.ask() for _ in range(AT_ONCE + WAITING)]
        self.assertEqual(len(world.targets.wires["api"]), AT_ONCE)
        refused = world.ask()
        self.assertEqual((refused.code, dict(refused.headers)), (503, {b"Retry-After": b"5"}))
        for _ in range(0, len(asked), AT_ONCE):
            for wire in world.targets.wires["api"]:
                if not wire.lost:
                    wire.answer(b"a 1\n")
                    world.settle()
        self.assertEqual({self.body(one) for one in asked}, {b'a{process_name="api"} 1\n'})
        self.assertNoResult(world.ask())

    def test_ten_thousand_times(self) -> None:
        """However often: one connection, no timers, nothing that grows."""
        world = World("api")
        for _ in range(1000):
            asked = world.ask()
            world.answer("api", b"a 1\n")
            self.body(asked)
            world.targets.wire("api").clear()
        self.assertEqual(len(world.targets.wires["api"]), 1)
        self.assertEqual(len(world.clock.getDelayedCalls()), 1)
