from __future__ import annotations

import gc
import random
import warnings
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.endpoints import _WrappingFactory
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import _HTTP11ClientFactory

from procwrap.core.events import Level
from procwrap.pod.kubernetes import PAUSE, Sight
from procwrap.pod.podview import read_pod
from procwrap.pod.problem import ApiError
from tests.support.podapi import MemoryApi
from tests.support.pods import RUNNING, STARTING, make_pod, terminated


class PodWatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        home = Path(self.mktemp())
        home.mkdir()
        self.memory = MemoryApi(home)
        self.cluster, self.watch = self.memory.cluster, self.memory.watch

    def asked(self) -> list[str]:
        return [asked["verb"] for asked in self.cluster.requests]

    def told(self, level: Level) -> list[str]:
        return [text for told, text in self.memory.told if told is level]

    def test_one_list_and_one_watch(self) -> None:
        """That is all that is asked, however long nothing happens."""
        self.memory.follow()
        self.memory.settle(200)
        self.assertEqual(self.asked(), ["list", "watch"])
        self.assertEqual(self.memory.doing(), "ContainerCreating")

    def test_a_change_is_seen(self) -> None:
        """At once, and nothing is asked for it."""
        self.memory.follow()
        self.cluster.ready("proxy")
        self.memory.settle()
        self.assertEqual(self.memory.doing(), "ready")
        self.assertEqual(len(self.asked()), 2)

    def test_what_means_nothing_is_not_shown(self) -> None:
        """A change of something else wakes nobody."""
        self.memory.follow()
        self.cluster.touch(count=5)
        self.memory.settle()
        self.assertEqual(len(self.memory.sights), 1)

    def test_pieces(self) -> None:
        """However the answer is cut."""
        self.cluster.piece = 7
        self.memory.follow()
        self.cluster.ready("proxy")
        self.memory.settle()
        self.assertEqual(self.memory.doing(), "ready")

    def test_a_watch_that_is_over(self) -> None:
        """It goes on from the last version, at once; nothing is listed again."""
        self.memory.follow()
        self.cluster.touch(count=3)
        self.memory.settle(299)
        self.memory.settle(1)
        self.assertEqual(self.asked(), ["list", "watch", "watch"])
        self.assertEqual(self.cluster.requests[-1]["resourceVersion"], "1004")

    def test_a_bookmark(self) -> None:
        """The watch goes on from it, though nothing has happened to the Pod, and so is not too far behind."""
        self.memory.follow()
        self.cluster.pass_by(5000)
        self.cluster.bookmark()
        self.memory.settle()
        self.cluster.compact()
        self.cluster.cut()
        self.memory.settle(2)
        self.assertEqual(self.asked(), ["list", "watch", "watch"])
        self.assertEqual(self.cluster.requests[-1]["resourceVersion"], "6001")

    def test_nothing_is_missed_between_two_watches(self) -> None:
        """What happened while there was no connection is told by the next watch."""
        self.memory.follow()
        self.cluster.cut()
        self.memory.settle()
        self.cluster.ready("proxy")
        self.memory.settle(1)
        self.assertEqual((self.asked(), self.memory.doing()), (["list", "watch", "watch"], "ready"))

    def test_too_far_behind(self) -> None:
        """However the server says so (in the stream, at its beginning, as a status), all is listed again."""
        self.memory.follow()
        self.cluster.expire()
        for _ in range(3):
            self.memory.settle(1)
        for manner in ("stream", "status"):
            self.cluster.gone_as = manner
            self.memory.fall_behind()
            for _ in range(5):
                self.memory.settle(1)
        self.cluster.ready("proxy")
        self.memory.settle()
        self.assertEqual(self.asked().count("list"), 4)
        self.assertEqual((self.memory.doing(), self.memory.told), ("ready", []))

    def test_a_connection_that_is_cut_is_nothing_to_speak_of(self) -> None:
        """As long as the next one holds."""
        self.memory.follow()
        for _ in range(20):
            self.memory.settle(5)
            self.cluster.cut()
            self.memory.settle()
        self.assertEqual((self.memory.told, len(self.memory.sights)), ([], 1))

    def test_no_tight_loop(self) -> None:
        """A server that ends each watch at once is asked less and less often, every 8 seconds in the end."""
        self.memory.follow()
        for _ in range(600):
            self.cluster.end()
            self.memory.settle(0.1)
        self.assertLess(len(self.asked()), 20)
        self.assertGreater(len(self.asked()), 60 / PAUSE.maximum)

    def test_a_liar_is_not_asked_without_pause(self) -> None:
        """A server that sends a change and ends the watch, over and over."""
        self.memory.follow()
        for _ in range(100):
            self.cluster.touch()
            self.cluster.end()
            self.memory.settle(0.01)
        self.assertLess(len(self.asked()), 10)

    def test_a_token_that_was_replaced(self) -> None:
        """The next attempt has the new one; nobody hears of it."""
        self.memory.follow()
        self.cluster.tokens = ["token-2"]
        self.cluster.cut()
        self.memory.settle(1)
        (self.memory.account / "token").write_text("token-2")
        self.memory.settle(1)
        self.cluster.ready("proxy")
        self.memory.settle()
        self.assertEqual((self.memory.doing(), self.memory.told), ("ready", []))

    def test_a_token_that_stays_unknown(self) -> None:
        """That is told once, as something that a person has to mend."""
        self.cluster.tokens = []
        self.memory.follow()
        for _ in range(30):
            self.memory.settle(1)
        [(level, text)] = self.memory.told
        self.assertEqual(level, Level.ERROR)
        self.assertIn("does not accept the token of the Pod's service account", text)
        self.assertTrue(self.memory.sight.refused)

    def test_a_missing_right(self) -> None:
        """One error says what is missing; when the Role is there at last, all goes well."""
        self.cluster.forbidden = ["watch"]
        self.memory.follow()
        for _ in range(50):
            self.memory.settle(1)
        [error] = self.told(Level.ERROR)
        self.assertIn("may not watch pods in the namespace shop", error)
        self.assertTrue(self.memory.sight.refused)
        self.cluster.forbidden = []
        for _ in range(20):
            self.memory.settle(1)
        self.assertEqual(self.memory.sight, Sight(read_pod(make_pod())))
        self.assertEqual(self.told(Level.INFO), ["the Pod job-1 can be watched"])

    def test_no_such_pod(self) -> None:
        """A name that is none: what it was, and how to say the right one; it may still come."""
        self.cluster.delete()
        self.memory.follow()
        for _ in range(20):
            self.memory.settle(1)
        [error] = self.told(Level.ERROR)
        self.assertIn("there is no Pod job-1 in the namespace shop: set POD_NAME", error)
        self.cluster.create(make_pod())
        self.memory.settle(10)
        self.memory.settle()
        self.assertEqual(self.memory.doing(), "ContainerCreating")

    def test_the_pod_of_another_time(self) -> None:
        """A new Pod of the same name is not ours, whether it is listed or watched."""
        self.memory.follow()
        self.cluster.delete()
        self.cluster.create(make_pod(uid="another"))
        self.memory.settle()
        self.assertIsNone(self.memory.sight.pod)
        self.cluster.expire()
        self.memory.settle(5)
        self.memory.settle(5)
        self.assertIsNone(self.memory.sight.pod)

    def test_a_server_that_is_down(self) -> None:
        """What is known stays known; that nothing new is learned is told once, and its end, too."""
        self.memory.follow()
        self.cluster.status = 503
        self.cluster.cut()
        for _ in range(40):
            self.memory.settle(1)
        self.assertEqual(len(self.told(Level.WARNING)), 1)
        self.assertEqual(self.memory.doing(), "ContainerCreating")
        self.assertIn("503", self.memory.sight.trouble)
        self.cluster.status = 0
        for _ in range(20):
            self.memory.settle(1)
        self.assertEqual(self.memory.sight.trouble, "")
        self.assertEqual(self.told(Level.INFO), ["the Pod job-1 can be watched"])

    def test_a_server_that_hangs(self) -> None:
        """The same, though each attempt takes long."""
        self.memory.follow()
        self.cluster.silent = True
        self.cluster.cut()
        for _ in range(60):
            self.memory.settle(1)
        self.assertEqual(self.told(Level.WARNING), [self.told(Level.WARNING)[0]])
        self.assertEqual(self.memory.sight.trouble, "the API server does not answer within 10s")

    def test_nonsense(self) -> None:
        """What is no answer ends the watch; the next one may be better."""
        self.memory.follow()
        for text in (
            '{"type":"ADDED"}\n',
            "<html>\n",
            "\x00\n",
            '{"type":"ERROR","object":{}}\n',
            "x" * 5000000,
        ):
            self.cluster.say(text)
            self.memory.settle()
            self.memory.settle(10)
        self.cluster.ready("proxy")
        self.memory.settle()
        self.assertEqual(self.memory.doing(), "ready")

    def test_another_error_in_the_stream(self) -> None:
        """It ends the watch, which goes on where it was."""
        self.memory.follow()
        self.cluster.fail(500, "InternalError")
        self.memory.settle()
        self.cluster.ready("proxy")
        self.memory.settle(1)
        self.assertEqual((self.memory.doing(), self.asked().count("list")), ("ready", 1))

    def test_an_api_that_cannot_be_built(self) -> None:
        """Such as without a service account: told, and tried again."""
        self.watch._make = lambda: fail(ApiError("no ca.crt", refused=True))
        self.memory.follow()
        self.assertEqual(self.told(Level.ERROR), ["cannot watch the Pod job-1: no ca.crt"])
        self.watch._make = lambda: succeed(self.memory.api)
        self.memory.settle(5)
        self.assertEqual(self.memory.doing(), "ContainerCreating")

    def test_a_bug(self) -> None:
        """Even that ends nothing for ever."""
        broken = [True]

        def make() -> Deferred[Any]:
            if broken:
                raise ZeroDivisionError(broken.pop())
            return succeed(self.memory.api)

        self.watch._make = make
        self.memory.follow()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.memory.settle(5)
        self.assertEqual(self.memory.doing(), "ContainerCreating")

    def test_nobody_follows(self) -> None:
        """Then nothing is asked: the connection is closed and no timer is left."""
        forget = self.memory.follow()
        forget()
        self.memory.settle()
        self.assertEqual((self.cluster.watching(), self.watch.sight), (0, Sight()))
        self.assertEqual(self.memory.clock.getDelayedCalls(), [])

    def test_nobody_follows_while_it_is_down(self) -> None:
        """Nor is anything tried again."""
        self.cluster.status = 503
        forget = self.memory.follow()
        forget()
        self.memory.settle()
        self.assertEqual(self.memory.clock.getDelayedCalls(), [])

    def test_one_follows_who_was_never_asked_for(self) -> None:
        """Followed and forgotten in one breath."""
        self.watch.follow(self.memory.sights.append)()
        self.memory.settle()
        self.assertEqual((self.asked(), self.memory.clock.getDelayedCalls()), ([], []))

    def test_followed_again(self) -> None:
        """Everything is listed anew, for nobody knows what happened meanwhile; ours is still ours."""
        self.memory.follow()()
        self.cluster.ready("proxy")
        self.memory.follow()
        self.memory.settle()
        self.assertEqual((self.asked().count("list"), self.memory.doing()), (2, "ready"))
        self.assertEqual(self.cluster.watching(), 1)

    def test_a_second_follower(self) -> None:
        """It sees at once what is known, and nothing more is asked."""
        forget = self.memory.follow()
        seen: list[Sight] = []
        self.watch.follow(seen.append)
        self.assertEqual(seen, self.memory.sights)
        forget()
        self.cluster.ready("proxy")
        self.memory.settle()
        self.assertEqual((len(seen), len(self.memory.sights), len(self.asked())), (2, 1, 2))

    def test_a_follower_that_leaves_when_it_sees(self) -> None:
        """As a permit does that grants."""

        def see(sight: Sight) -> None:
            forget()

        forget = self.watch.follow(see)
        self.memory.settle()
        self.assertEqual((self.cluster.watching(), self.memory.clock.getDelayedCalls()), (0, []))


KINDS = ("cut", "end", "expire", "behind", "behind status", "nonsense", "down", "bookmark")


class SoakTests(SynchronousTestCase):
    """10,000 changes and 1,000 connections that end, each in one of eight ways."""

    def setUp(self) -> None:
        # Twisted's log keeps what its factories say until somebody takes it.
        self.patch(_HTTP11ClientFactory, "noisy", False)
        self.patch(_WrappingFactory, "noisy", False)
        home = Path(self.mktemp())
        home.mkdir()
        self.memory = MemoryApi(home)
        self.dice = random.Random(7)

    def break_off(self, how: str) -> None:
        cluster = self.memory.cluster
        if how in ("cut", "end", "expire", "bookmark"):
            getattr(cluster, how)()
        elif how == "nonsense":
            cluster.say("{]\n")
        elif how == "down":
            cluster.status = 500
            cluster.cut()
        else:
            cluster.gone_as = "status" if "status" in how else "stream"
            self.memory.fall_behind()
        self.memory.settle()

    def happen(self, number: int) -> None:
        container = self.dice.choice(["main", "proxy"])
        state = self.dice.choice([RUNNING, STARTING, terminated(number % 3)])
        self.memory.cluster.put(container, state, ready=self.dice.random() < 0.5)

    def heal(self) -> None:
        """Let it try until it watches again."""
        self.memory.cluster.status = 0
        for _ in range(40):
            self.memory.settle(0.5)
            if self.memory.cluster.watching():
                return
        raise AssertionError("it does not watch any more")

    def rounds(self, count: int) -> None:
        for number in range(count):
            how = KINDS[number % len(KINDS)]
            self.memory.cluster.piece = self.dice.choice([0, 0, 0, 100])
            for change in range(10):
                self.happen(change)
                if change == 5:
                    self.break_off(how)
                elif self.memory.cluster.watching():
                    self.memory.settle()
                    self.assert_true()
            self.heal()
            self.assert_true()
            self.memory.forget()

    def assert_true(self) -> None:
        self.assertEqual(self.memory.watch.sight.pod, read_pod(self.memory.cluster._pods["job-1"]))

    def test_the_state_is_right_and_memory_is_flat(self) -> None:
        """After every one of them what is seen is what is; nothing is kept of what was."""
        # Trial keeps every warning, of which python -b has many about Twisted's own caches.
        with warnings.catch_warnings(action="ignore", category=BytesWarning):
            self.memory.follow()
            # The cluster remembers the last 1,000 changes.
            self.rounds(100)
            gc.collect()
            before = len(gc.get_objects())
            self.rounds(1000)
            gc.collect()
        self.assertLess(abs(len(gc.get_objects()) - before), 500)
        self.assertLess(len(self.memory.told), 100)
