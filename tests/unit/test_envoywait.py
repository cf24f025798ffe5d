from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.children.permits import Reply
from procwrap.envoywait import EnvoyWait
from procwrap.pod.ask import Request
from procwrap.spec.envoy import Envoy
from tests.support.asked import Asked

INFO = Request("GET", "http://localhost/server_info", "http://localhost/server_info")
LIVE = b'{"state": "LIVE"}'


class EnvoyWaitTests(SynchronousTestCase):
    def build(self, envoy: Envoy = Envoy()) -> EnvoyWait:
        """Begin to wait."""
        self.clock, self.asked = Clock(), Asked()
        self.heard: list[str] = []
        waiting = EnvoyWait(
            envoy,
            INFO,
            self.asked,
            self.clock,
            self.asked.report,
            lambda reason: self.heard.append(f"end: {reason}"),
        )
        waiting.begin()
        return waiting

    def reply(self, name: str) -> Reply:
        """Write down what a process hears."""
        hear = self.heard.append
        return Reply(
            lambda variables: hear(f"{name} granted"),
            lambda reason: hear(f"{name} denied"),
            lambda reason: hear(f"{name}: {reason}"),
            lambda reason: hear(f"{name} stands by"),
        )

    def test_all_wait_until_it_is_live(self) -> None:
        """They hear why, and start in the order in which they asked; who has left does not."""
        waiting = self.build()
        for name in "abc":
            waiting.ask(name, self.reply(name))
        self.asked.fail("connection refused")
        waiting.leave("b")
        self.clock.advance(1)
        self.asked.answer(200, LIVE)
        first, why = "Envoy was not asked yet", f"Envoy is not LIVE: {INFO.shown}: connection refused"
        expected = [f"{name}: {reason}" for reason in (first, why) for name in "abc"]
        self.assertEqual(self.heard, [*expected, "a granted", "c granted"])
        self.assertEqual(self.asked.texts, ["Envoy is LIVE"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_restart_does_not_wait(self) -> None:
        """Nor does it ask again."""
        waiting = self.build()
        self.asked.answer(200, LIVE)
        for _ in range(2):
            waiting.ask("a", self.reply("a"))
            waiting.ended("a")
        self.assertEqual((self.heard, len(self.asked.heard)), (["a granted", "a granted"], 1))

    def test_starting_all_the_same(self) -> None:
        """After that time, with one warning; nobody asks any more, and a late answer changes nothing."""
        self.build(Envoy(start_after=30)).ask("a", self.reply("a"))
        self.clock.advance(30)
        self.asked.answer(200, LIVE)
        self.assertEqual(self.heard[1:], ["a granted"])
        self.assertEqual(self.asked.texts, ["Envoy was not asked yet, for 30s: starting all the same"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_giving_up(self) -> None:
        """Goes before starting all the same: everything ends, and nothing was started."""
        self.build(Envoy(start_after=10, give_up_after=20)).ask("a", self.reply("a"))
        self.asked.fail("connection refused")
        self.clock.advance(20)
        self.assertEqual(
            self.heard[2:], [f"end: Envoy is not LIVE: {INFO.shown}: connection refused, for 20s"]
        )

    def test_in_time(self) -> None:
        """Then nothing is given up later."""
        self.build(Envoy(give_up_after=20))
        self.asked.answer(200, LIVE)
        self.assertEqual(self.clock.getDelayedCalls(), [])
