from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.sinks.loki import FULL, LARGE, MOST_OPEN, PAUSE, LokiSink
from procwrap.sinks.lokipush import Bundle, LokiShipping, written

SECOND = 1_000_000_000


class Taken:
    """A delivery that keeps what it is given."""

    def __init__(self) -> None:
        self.bundles: list[Bundle] = []
        self.flushed = False
        self.dropped, self.refused = 3, 4

    def add(self, item: Bundle) -> None:
        self.bundles.append(item)

    def flush(self) -> Deferred[None]:
        self.flushed = True
        return succeed(None)


class LokiSinkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.wall, self.taken = Clock(), 1000.0, Taken()
        delivery: Any = self.taken
        self.sink = LokiSink(delivery, (("pod", "p"),), self.clock, lambda: self.wall)

    def stream(self, name: str = "api") -> Any:
        """Open a stream."""
        return self.sink.stream((("name", name), ("out", "stdout")), ())

    def entries(self) -> dict[str, list[tuple[int, str]]]:
        """What was handed on, by the names of the streams; times count from the beginning."""
        pushed = json.loads(b"".join(written(tuple(self.taken.bundles))))["streams"]
        return {
            stream["stream"]["name"]: [(int(time) - 1000 * SECOND, line) for time, line in stream["values"]]
            for stream in pushed
        }

    def test_records_come_together(self) -> None:
        """What comes within half a second is one bundle a stream, in order, with the time of each."""
        api, db = self.stream(), self.stream("db")
        api(b"one\ntwo\n", 2)
        self.wall += 0.25
        api(b"three\n", 1)
        db(b"x\n", 1)
        self.assertEqual(self.taken.bundles, [])
        self.clock.advance(PAUSE)
        self.assertEqual(len(self.taken.bundles), 2)
        quarter = SECOND // 4
        self.assertEqual(
            self.entries(),
            {"api": [(0, "one"), (1, "two"), (quarter, "three")], "db": [(quarter, "x")]},
        )

    def test_time_never_stands_still(self) -> None:
        """Loki drops a line that it has seen at the same time, so each is later than the one before it."""
        api = self.stream()
        for _ in range(3):
            api(b"same\nsame\n", 2)
        self.wall -= 1
        api(b"same\n" * 4000, 4000)
        self.clock.advance(PAUSE)
        times = [time for time, _ in self.entries()["api"]]
        self.assertEqual(times, list(range(4006)))

    def test_the_clock_is_set_back(self) -> None:
        """Not for long: after more than a minute, time begins anew, or Loki would take it for the future."""
        api = self.stream()
        api(b"wrong\n", 1)
        self.wall -= 3600
        api(b"right\n", 1)
        self.clock.advance(PAUSE)
        self.assertEqual([time for time, _ in self.entries()["api"]], [0, -3600 * SECOND])

    def test_all_runs_have_one_stream(self) -> None:
        """A restart goes on where the run before it has ended."""
        for _ in range(3):
            self.stream()(b"started\n", 1)
        self.clock.advance(PAUSE)
        self.assertEqual([time for time, _ in self.entries()["api"]], [0, 1, 2])
        self.assertEqual(len(self.taken.bundles), 1)

    def test_large_chunks_are_not_copied(self) -> None:
        """They are handed on as they are, behind what came before."""
        api, chunk = self.stream(), b"x" * (LARGE - 1) + b"\n"
        api(b"before\n", 1)
        api(chunk, 1)
        self.assertEqual([bundle.data[:6] for bundle in self.taken.bundles], [b"before", b"xxxxxx"])
        self.assertIs(self.taken.bundles[1].data, chunk)

    def test_a_full_bundle_goes_at_once(self) -> None:
        """And the next one begins."""
        api = self.stream()
        for _ in range(FULL // 10):
            api(b"123456789\n", 1)
        self.assertEqual(len(self.taken.bundles), 0)
        api(b"123456789\n", 1)
        self.assertEqual([bundle.records for bundle in self.taken.bundles], [FULL // 10 + 1])

    def test_many_streams_are_bounded(self) -> None:
        """However many processes there are, what is put together stays below a bound."""
        streams = [self.stream(f"p{n}") for n in range(200)]
        for _ in range(3):
            for write in streams:
                write(b"x" * 9999 + b"\n", 1)
        handed = sum(len(bundle.data) for bundle in self.taken.bundles)
        self.assertGreaterEqual(handed + MOST_OPEN, 3 * 200 * 10_000)

    def test_overhead_is_counted(self) -> None:
        """A record that comes alone weighs more than its text."""
        api, shipping = self.stream(), LokiShipping()
        api(b"x\n", 1)
        self.clock.advance(PAUSE)
        self.assertGreater(shipping.size(self.taken.bundles[0]), 400)

    def test_the_end(self) -> None:
        """What was being put together is handed on before everything is flushed; no timer is left."""
        self.stream()(b"last\n", 1)
        self.successResultOf(self.sink.flush())
        self.assertTrue(self.taken.flushed)
        self.assertEqual((self.entries(), self.clock.getDelayedCalls()), ({"api": [(0, "last")]}, []))

    def test_what_is_lost(self) -> None:
        """For /metrics: what was refused and what was dropped."""
        self.assertEqual((self.sink.kind, self.sink.dropped), ("loki", 7))
