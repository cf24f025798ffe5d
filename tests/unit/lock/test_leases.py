from __future__ import annotations

import json

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.lock import wire
from procwrap.lock.lease import Granted, Refused
from procwrap.lock.leases import LeaseError
from tests.support.locking import FREE, OVER, Said, Script, granted, held, refused


class LeasesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.server = Clock(), Script()
        self.leases = self.server.leases(self.clock)

    def test_a_question_says_everything(self) -> None:
        """The name of the lock, who asks, for how long, which wish it is, and how long to wait."""
        self.leases.acquire("5f0c", 1.0)
        [asked] = self.server.asked
        self.assertEqual(asked.path, "/lease")
        said = {"key": "api", "value": "pod-a", "labels": {"node": "n"}, "timestamp": "now"}
        self.assertEqual(json.loads(asked.body), said)
        expected = {wire.TTL: "2000ms", wire.REQUEST: "5f0c", wire.WAIT: "1000ms"}
        self.assertEqual({key: asked.headers[key] for key in expected}, expected)

    def test_answers(self) -> None:
        """It is ours with a token, or another's, whose name may be known."""
        for said, meaning in (
            (granted(9, 1.5, 4), Granted(9, 1.5, 4)),
            (refused("pod-é"), Refused("held by pod-é", "pod-é")),
            (Said(202, body=b"0"), Refused("held by somebody", None)),
        ):
            asked = self.leases.acquire("x", 0.0)
            self.server.answer(said)
            self.assertEqual(self.successResultOf(asked), meaning)

    def test_keepalives(self) -> None:
        """The server grants a time to live anew, or has given the lease up."""
        for said, meaning in ((held(1.5), 1.5), (OVER, None)):
            asked = self.leases.keep(7, 1.0)
            self.assertEqual((self.server.asked[-1].path, self.server.asked[-1].body), ("/keepalive", b"7"))
            self.server.answer(said)
            self.assertEqual(self.successResultOf(asked), meaning)

    def test_what_is_no_answer_means_nothing(self) -> None:
        """An error, an answer that makes no sense and a failed connection are all the same: nobody knows."""
        for said in (Said(503, body=b'{"error": "no store"}'), Said(500), Said(201, body=b"7"), Said(200)):
            asked = self.leases.acquire("x", 0.0)
            self.server.answer(said)
            self.assertIn("lock server lock:8191: ", str(self.failureResultOf(asked, LeaseError).value))
        for said in (Said(503), Said(200, {wire.TTL: "soon"}), Said(202, body=b"0")):
            kept = self.leases.keep(7, 1.0)
            self.server.answer(said)
            self.failureResultOf(kept, LeaseError)
        released = self.leases.release(7)
        self.server.fail()
        error = self.failureResultOf(released, LeaseError)
        self.assertEqual(str(error.value), "lock server lock:8191: connection refused")

    def test_an_answer_is_waited_for_so_long(self) -> None:
        """A third of the TTL, after the time for which the server was told to wait; then it is given up."""
        asked = self.leases.acquire("x", 1.0)
        self.clock.advance(1.66)
        self.assertNoResult(asked)
        self.clock.advance(0.01)
        error = self.failureResultOf(asked, LeaseError)
        self.assertEqual(str(error.value), "lock server lock:8191: no answer within 1.7s")

    def test_nothing_is_left_behind(self) -> None:
        """No timer outlives its answer, and a question can be cancelled."""
        released = self.leases.release(7)
        self.server.answer(FREE)
        self.successResultOf(released)
        asked = self.leases.acquire("x", 0.0)
        asked.cancel()
        self.failureResultOf(asked, LeaseError)
        self.assertEqual(self.clock.getDelayedCalls(), [])
