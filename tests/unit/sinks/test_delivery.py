from __future__ import annotations

from email.utils import formatdate
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.events import Level
from procwrap.sinks.delivery import LAST, LAST_PAUSE
from procwrap.sinks.shipping import Bounds, Verdict
from tests.support.delivering import WALL, Delivering

REFUSED = "connection refused"


class BatchTests(SynchronousTestCase):
    def test_items_wait_for_others(self) -> None:
        """What comes within a second is sent together."""
        all_ = Delivering()
        all_.add("a")
        all_.clock.advance(0.9)
        all_.add("b")
        self.assertEqual(all_.server.bodies, [])
        all_.clock.advance(0.1)
        self.assertEqual(all_.server.bodies, ["a b"])
        self.assertEqual(all_.server.headers, [{"x-items": "2"}])

    def test_a_full_batch_goes_at_once(self) -> None:
        """Whichever bound is reached first, nothing waits any longer; a batch never exceeds it."""
        all_ = Delivering(Bounds(batch_bytes=100, batch_records=3))
        all_.add("a" * 60, "b" * 60)
        self.assertEqual(all_.server.bodies, ["a" * 60])
        all_.server.answer()
        all_.add("c", "d")
        self.assertEqual(all_.server.bodies[1:], ["b" * 60 + " c d"])

    def test_an_item_over_the_bound_goes_alone(self) -> None:
        """It is not held back for being large."""
        all_ = Delivering()
        all_.add("a" * 300, "b")
        self.assertEqual(all_.server.bodies, ["a" * 300])

    def test_one_batch_at_a_time(self) -> None:
        """The next one waits until the first was answered, so nothing is overtaken."""
        all_ = Delivering()
        all_.send("a" * 100)
        all_.add("b" * 100, "c" * 100)
        self.assertEqual(len(all_.server.bodies), 1)
        all_.server.answer()
        self.assertEqual(all_.server.bodies[1:], ["b" * 100])
        all_.server.answer()
        self.assertEqual(all_.server.bodies[2:], ["c" * 100])
        all_.server.answer()
        self.assertEqual((all_.counts, all_.delivery.waiting_bytes, all_.timers), ((3, 0, 0), 0, 0))

    def test_nothing_to_send_costs_nothing(self) -> None:
        """Without items there is no timer and no request."""
        all_ = Delivering()
        self.assertEqual((all_.timers, all_.server.bodies), (0, []))

    def test_thousands_of_batches(self) -> None:
        """A server that answers at once is no recursion without end."""
        all_ = Delivering(Bounds(batch_bytes=1))
        all_.add("first")
        for number in range(3000):
            all_.add(str(number))
        answers: Any = lambda body, headers: _answered(all_, body)  # noqa: E731
        all_.delivery._post = answers
        all_.server.answer()
        self.assertEqual(all_.counts, (3001, 0, 0))

    def test_packing_happens_in_a_thread(self) -> None:
        """What is added meanwhile belongs to the next batch."""
        all_ = Delivering(in_threads=True)
        all_.send("a")
        self.assertEqual(all_.server.bodies, [])
        all_.add("b")
        all_.threads.pop()()
        self.assertEqual(all_.server.bodies, ["a"])


def _answered(all_: Delivering, body: bytes) -> Deferred[Any]:
    asked = all_.server.post(body, {})
    all_.server.answer()
    return asked


class AgainTests(SynchronousTestCase):
    def test_pauses_grow(self) -> None:
        """Half a second, doubled up to eight, with dice that all show the highest number."""
        all_ = Delivering()
        all_.send("a")
        for pause in (0.5, 1.0, 2.0, 4.0, 8.0, 8.0):
            all_.server.fail()
            all_.clock.advance(pause - 0.01)
            self.assertEqual(all_.server.open, [])
            all_.clock.advance(0.01)
            self.assertEqual(len(all_.server.open), 1)
        all_.server.answer()
        self.assertEqual((all_.counts, all_.timers), ((1, 0, 0), 0))

    def test_pauses_are_random(self) -> None:
        """Not all clients of a server that was away come back at once; and none of them without a pause."""
        for chance, pause in ((0.5, 0.25), (0.0, 0.05)):
            all_ = Delivering(chance=chance)
            all_.send("a")
            all_.server.fail()
            (timer,) = all_.clock.getDelayedCalls()
            self.assertAlmostEqual(timer.getTime() - all_.clock.seconds(), pause)

    def test_success_begins_anew(self) -> None:
        """The pauses of the next outage are short again."""
        all_ = Delivering()
        all_.send("a")
        for _ in range(5):
            all_.server.fail()
            all_.clock.advance(8)
        all_.server.answer()
        all_.send("b")
        all_.server.fail()
        all_.clock.advance(0.5)
        self.assertEqual(all_.server.bodies[-2:], ["b", "b"])

    def test_which_answers_mean_later(self) -> None:
        """Too many requests, a timeout, and all that is the server's own fault."""
        for status in (408, 429, 500, 502, 503, 504, 599):
            all_ = Delivering()
            all_.send("a")
            all_.server.answer(status)
            all_.clock.advance(0.5)
            self.assertEqual((all_.server.bodies, all_.counts), (["a", "a"], (0, 0, 0)), status)

    def test_what_fails_is_sent_before_the_rest(self) -> None:
        """Order is kept, and what came meanwhile goes along as far as there is room in the batch."""
        all_ = Delivering()
        all_.send("a")
        all_.add("b", "c" * 99)
        all_.server.fail()
        all_.clock.advance(0.5)
        self.assertEqual(all_.server.bodies, ["a", "a b"])

    def test_a_full_batch_does_not_shorten_the_pause(self) -> None:
        """However much comes meanwhile."""
        all_ = Delivering()
        all_.send("a")
        all_.server.fail()
        all_.add("b" * 100, "c" * 100)
        self.assertEqual(len(all_.server.bodies), 1)

    def test_the_server_says_how_long(self) -> None:
        """Retry-After comes before our own pause, in seconds or as a date, at most 60 s."""
        dates = {formatdate(WALL + 10, usegmt=True): 10, formatdate(WALL - 10, usegmt=True): 0, "tomorrow": 0}
        for text, seconds in {"7": 7, "100000": 60, "0": 0, "-1": 0, "": 0, **dates}.items():
            all_ = Delivering()
            all_.send("a")
            all_.server.answer(429, retry_after=text)
            (timer,) = all_.clock.getDelayedCalls()
            self.assertAlmostEqual(timer.getTime() - all_.clock.seconds(), seconds + 0.5, msg=text)

    def test_some_are_sent_again(self) -> None:
        """A shipping may want only some of a batch again; they go first."""
        all_ = Delivering()
        all_.send("a", "b", "c", "d")
        all_.add("e")
        all_.shipping.verdict = Verdict(sent=1, refused=1, again=("b", "d"), reason="busy")
        all_.server.answer(200)
        self.assertEqual(all_.counts, (1, 1, 0))
        all_.shipping.verdict = None
        all_.clock.advance(0.5)
        self.assertEqual(all_.server.bodies, ["a b c d", "b d e"])


class RefusedTests(SynchronousTestCase):
    def test_which_answers_mean_never(self) -> None:
        """Anything that is neither good nor later; it is counted, and the next batch is sent."""
        for status in (400, 401, 403, 404, 422, 304, 301):
            all_ = Delivering()
            all_.send("a", "b")
            all_.server.answer(status, "no")
            self.assertEqual(all_.counts, (0, 2, 0), status)
            all_.send("c")
            self.assertEqual(all_.server.bodies, ["a b", "c"])

    def test_too_large_is_halved(self) -> None:
        """As often as needed, in order, and without a pause or a word; only a single item is refused."""
        all_ = Delivering(Bounds(batch_bytes=100, batch_records=4))
        all_.add("a" * 20, "b" * 20, "c" * 20, "d" * 20)
        all_.server.answer(413)
        self.assertEqual(all_.server.bodies[1:], ["a" * 20 + " " + "b" * 20])
        all_.server.answer(413)
        self.assertEqual(all_.server.bodies[2:], ["a" * 20])
        all_.server.answer(413, "too large")
        self.assertEqual((all_.counts, all_.server.bodies[3:]), ((0, 1, 0), ["b" * 20]))
        (told,) = all_.told
        self.assertIn("413: too large", told[1])

    def test_large_batches_are_tried_again(self) -> None:
        """One server of many that takes little does not make all batches small for ever."""
        all_ = Delivering()
        all_.add("a" * 50, "b" * 50)
        all_.server.answer(413)
        for _ in range(60):
            while all_.server.open:
                all_.server.answer()
            all_.add("c" * 49, "d" * 49, "e" * 49)
            all_.clock.advance(1)
        self.assertIn("c" * 49 + " " + "d" * 49, all_.server.bodies)

    def test_a_bug_costs_one_batch(self) -> None:
        """What cannot be packed is given up, and what follows is sent."""
        all_ = Delivering()
        all_.send("poison")
        all_.send("b")
        self.assertEqual((all_.server.bodies, all_.counts), (["b"], (0, 1, 0)))
        self.assertIn("a bug: ZeroDivisionError('poison')", all_.told[0][1])


class BoundTests(SynchronousTestCase):
    def test_the_oldest_are_dropped(self) -> None:
        """Of what is not on its way; what is there is never more than the bound."""
        all_ = Delivering(Bounds(most_bytes=100, batch_bytes=30))
        all_.add("a" * 30)
        for letter in "bcdef":
            all_.add(letter * 30)
            self.assertLessEqual(all_.delivery.waiting_bytes, 100)
        self.assertEqual(all_.counts, (0, 0, 3))
        for _ in range(3):
            all_.server.answer()
        self.assertEqual([body[0] for body in all_.server.bodies], ["a", "e", "f"])

    def test_records_are_bounded_too(self) -> None:
        """Whichever bound is reached first."""
        all_ = Delivering(Bounds(most_records=2))
        all_.send("a", "b", "c")
        self.assertEqual((all_.server.bodies, all_.counts), (["b c"], (0, 0, 1)))

    def test_what_failed_is_the_oldest(self) -> None:
        """In a pause nothing is on its way, so the newest are kept rather than what failed."""
        all_ = Delivering(Bounds(most_records=2))
        all_.send("a", "b")
        all_.server.fail()
        all_.add("c")
        all_.clock.advance(0.5)
        self.assertEqual((all_.server.bodies, all_.counts), (["a b", "b c"], (0, 0, 1)))

    def test_an_item_without_room(self) -> None:
        """One that is larger than everything goes for itself."""
        all_ = Delivering()
        all_.send("a", "b" * 1001)
        self.assertEqual((all_.server.bodies, all_.counts), ([], (0, 0, 2)))

    @given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from([204, 500, 413, 400, 0])), max_size=60))
    def test_every_record_is_accounted_for(self, steps: list[tuple[int, int]]) -> None:
        """Whatever the server does: sent, refused, dropped and waiting are all there ever was, in order."""
        all_ = Delivering(Bounds(most_bytes=200, batch_bytes=60, linger=0.1))
        sent: list[str] = []
        for number, (size, status) in enumerate(steps):
            all_.add(f"{number:03d}" + "x" * size)
            all_.clock.advance(0.1)
            if all_.server.open and status:
                if status == 204:
                    sent += all_.server.bodies[-1].split()
                all_.server.answer(status)
            self.assertLessEqual(all_.delivery.waiting_bytes, 200)
        all_.delivery.flush()
        all_.clock.pump([LAST_PAUSE] * 20)
        self.assertEqual(sum(all_.counts), len(steps))
        self.assertEqual(sent, sorted(set(sent)))
        self.assertEqual((len(sent), all_.timers), (all_.delivery.sent, 0))


class FlushTests(SynchronousTestCase):
    def test_nothing_to_do(self) -> None:
        """It is over at once."""
        all_ = Delivering()
        self.successResultOf(all_.delivery.flush())
        self.assertEqual(all_.timers, 0)

    def test_everything_goes_at_once(self) -> None:
        """Neither for others nor for the end of a pause is waited; it is over when all is out."""
        for fails in (False, True):
            all_ = Delivering()
            all_.add("a")
            if fails:
                all_.clock.advance(1)
                all_.server.fail()
            all_.add("b")
            flushed = all_.delivery.flush()
            self.assertEqual(all_.server.bodies[-1], "a b")
            self.assertNoResult(flushed)
            all_.server.answer()
            self.successResultOf(flushed)
            self.assertEqual((all_.counts, all_.timers), ((2, 0, 0), 0))

    def test_it_goes_on_trying(self) -> None:
        """With short pauses, whatever the server asks for: there is no later."""
        all_ = Delivering()
        all_.send("a")
        flushed = all_.delivery.flush()
        all_.server.answer(429, retry_after="60")
        all_.clock.advance(LAST_PAUSE)
        all_.server.answer()
        self.successResultOf(flushed)
        self.assertEqual(all_.counts, (1, 0, 0))

    def test_there_is_an_end(self) -> None:
        """After two seconds the request is cancelled, and all that is left is dropped, counted and told."""
        all_ = Delivering()
        all_.send("a")
        all_.add("b")
        flushed = all_.delivery.flush()
        all_.clock.advance(LAST)
        self.successResultOf(flushed)
        self.assertEqual((all_.counts, all_.server.cancelled, all_.timers), ((0, 0, 2), 1, 0))
        self.assertEqual(
            all_.told, [(Level.WARNING, "2 words were not sent to server:80: there was no time left")]
        )

    def test_the_end_while_packing(self) -> None:
        """A thread that takes long changes nothing: what it comes back with is not sent any more."""
        all_ = Delivering(in_threads=True)
        all_.send("a")
        flushed = all_.delivery.flush()
        all_.clock.advance(LAST)
        self.successResultOf(flushed)
        all_.threads.pop()()
        self.assertEqual((all_.counts, all_.server.bodies, all_.timers), ((0, 0, 1), [], 0))

    def test_what_comes_after_the_end(self) -> None:
        """It is dropped and counted."""
        all_ = Delivering()
        all_.delivery.flush()
        all_.send("late")
        self.assertEqual((all_.counts, all_.server.bodies, all_.timers), ((0, 0, 1), [], 0))

    def test_asked_twice(self) -> None:
        """It is one and the same."""
        all_ = Delivering()
        all_.add("a")
        self.assertIs(all_.delivery.flush(), all_.delivery.flush())


class TroubleTests(SynchronousTestCase):
    def test_one_line_when_it_fails_and_one_when_it_works(self) -> None:
        """Not one for each attempt; the second says how much was lost."""
        all_ = Delivering(Bounds(most_bytes=1024 * 1024, most_records=2))
        all_.send("a")
        for _ in range(5):
            all_.server.fail(REFUSED)
            all_.clock.advance(8)
        all_.add("b", "c", "d")
        all_.server.answer()
        all_.clock.advance(1)
        all_.server.answer()
        self.assertEqual(
            all_.told,
            [
                (
                    Level.WARNING,
                    "cannot send words to server:80: connection refused; at most 2 of them wait",
                ),
                (Level.INFO, "words reach server:80 again; 2 were lost"),
            ],
        )

    def test_a_refusal_is_told(self) -> None:
        """Once, with the status and the beginning of what the server says, in one line without passwords."""
        all_ = Delivering()
        said = "entry\ntoo old\x1b[2J, see http://me:" + "hunter2@docs/ " + "x" * 300
        for word in ("a", "b"):
            all_.send(word)
            all_.server.answer(400, said)
        ((level, text),) = all_.told
        self.assertEqual(level, Level.WARNING)
        head, tail = (
            "cannot send words to server:80: 400: entry too old [2J, see http://***@docs/ x",
            "; they are lost",
        )
        self.assertTrue(text.startswith(head) and text.endswith(tail), text)
        self.assertLess(len(text), 300)

    def test_too_slow(self) -> None:
        """Dropping without a failure is told, too, and its end once there was none between two batches."""
        all_ = Delivering(Bounds(most_bytes=100, batch_bytes=50))
        all_.add(*("a" * 50 for _ in range(4)))
        all_.server.answer()
        self.assertEqual(len(all_.told), 1)
        all_.server.answer()
        self.assertEqual(
            [text for _, text in all_.told],
            [
                "cannot send words to server:80: it takes less than there is; the oldest are dropped",
                "words reach server:80 again; 2 were lost",
            ],
        )

    def test_back_and_forth(self) -> None:
        """A server that takes every other batch is worth two lines a minute: they are sent to it, too."""
        all_ = Delivering()
        for _ in range(200):
            all_.send("a")
            all_.server.answer(400)
            all_.send("b")
            all_.server.answer()
        minutes = all_.clock.seconds() / 60
        self.assertLessEqual(len(all_.told), 2 * (minutes + 1))
        self.assertGreaterEqual(len(all_.told), 2 * (minutes - 1))

    def test_what_is_told_is_sent_as_well(self) -> None:
        """Our own log goes to the same server: a warning about it does not call forth another one."""
        all_ = Delivering()
        report = all_._report
        all_.delivery._world.trouble._report = lambda level, text: (report(level, text), all_.add("told"))[0]
        all_.send("a")
        for _ in range(1000):
            all_.server.answer(400)
            all_.clock.advance(1)
            if not all_.server.open:
                break
        self.assertEqual((len(all_.told), all_.server.bodies), (1, ["a", "told"]))
