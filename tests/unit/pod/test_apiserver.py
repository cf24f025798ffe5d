from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet import error as failed
from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseNeverReceived

from procwrap.pod.apiserver import ANSWER, LEEWAY
from procwrap.pod.problem import ApiError, ExpiredError, TokenError
from tests.support.podapi import MemoryApi


class _Failing:
    """An agent whose requests fail."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def request(self, *words: Any) -> Deferred[Any]:
        return fail(self._error)


class _Waiting:
    """An agent whose requests are never answered."""

    def __init__(self) -> None:
        self.cancelled = 0

    def request(self, *words: Any) -> Deferred[Any]:
        def cancel(_: object) -> None:
            self.cancelled += 1

        return Deferred(cancel)


class ApiServerTests(SynchronousTestCase):
    def setUp(self) -> None:
        home = Path(self.mktemp())
        home.mkdir()
        self.memory = MemoryApi(home)
        self.api, self.cluster = self.memory.api, self.memory.cluster
        self.pieces: list[bytes] = []
        self.began: list[bool] = []

    def watch(self, version: str = "1001", take: Callable[[bytes], None] | None = None) -> Deferred[None]:
        watching = self.api.watch(version, 60, lambda: self.began.append(True), take or self.pieces.append)
        self.memory.settle()
        return watching

    def error(self, of: Deferred[Any]) -> ApiError:
        error: ApiError = self.failureResultOf(of, ApiError).value
        self.assertNotIn("token-1", str(error))
        return error

    def test_list(self) -> None:
        """The answer as it is; asked for our Pod only, with the token and the usual headers."""
        self.assertIn(b'"PodList"', self.successResultOf(self.api.list()))
        [asked] = self.cluster.requests
        expected = {"verb": "list", "token": "token-1", "fieldSelector": "metadata.name=job-1"}
        self.assertEqual(asked, expected)

    def test_watch(self) -> None:
        """It begins, brings what happens piece by piece, and ends when the server ends it."""
        watching = self.watch()
        self.assertEqual((self.began, self.pieces), ([True], []))
        self.cluster.touch(count=2)
        self.memory.settle()
        self.assertEqual(b"".join(self.pieces).count(b'"MODIFIED"'), 2)
        self.assertNoResult(watching)
        self.cluster.end()
        self.memory.settle()
        self.assertIsNone(self.successResultOf(watching))

    def test_what_a_watch_asks(self) -> None:
        """From a version on, with bookmarks, for so long."""
        self.watch()
        [asked] = self.cluster.requests
        self.assertLessEqual(
            {"resourceVersion": "1001", "allowWatchBookmarks": "true", "timeoutSeconds": "60"}.items(),
            asked.items(),
        )

    def test_a_missing_right(self) -> None:
        """One line says who may not do what where, and which Role mends it."""
        for verb, ask in (("list", self.api.list), ("watch", self.watch)):
            self.cluster.forbidden = [verb]
            error = self.error(ask())
            self.assertEqual(
                str(error),
                f"system:serviceaccount:shop:job may not {verb} pods in the namespace shop: bind it to a "
                'Role with {apiGroups: [""], resources: [pods], verbs: [get, list, watch]}',
            )
            self.assertTrue(error.refused)

    def test_an_unknown_token(self) -> None:
        """It is read anew for each request, so that the next one may have the right one."""
        self.cluster.tokens = ["token-2"]
        self.assertIsInstance(self.error(self.api.list()), TokenError)
        (self.memory.account / "token").write_text("token-2")
        self.successResultOf(self.api.list())

    def test_expired(self) -> None:
        """An HTTP status 410 is told apart from all others."""
        self.cluster.gone_as = "status"
        self.cluster.touch()
        self.cluster.compact()
        self.assertIsInstance(self.error(self.watch()), ExpiredError)

    def test_another_status(self) -> None:
        """It is told, with what the server says about it; it is nothing that a person has to mend."""
        self.cluster.status = 503
        error = self.error(self.api.list())
        self.assertEqual(str(error), "the API server answers 503: the server is currently unable to answer")
        self.assertFalse(error.refused)

    def test_no_service_account(self) -> None:
        """Nothing is asked without a token."""
        (self.memory.account / "token").unlink()
        self.assertIn("automountServiceAccountToken", str(self.error(self.api.list())))
        self.assertEqual(self.cluster.requests, [])

    def test_a_silent_server(self) -> None:
        """Neither a list nor the head of a watch is waited for for long, and the request is given up."""
        for ask in (self.api.list, self.watch):
            agent: Any = _Waiting()
            self.api._agent = agent
            asking = ask()
            self.assertNoResult(asking)
            self.memory.clock.advance(ANSWER)
            self.assertEqual(str(self.error(asking)), "the API server does not answer within 10s")
            self.assertEqual(agent.cancelled, 1)

    def test_a_slow_answer(self) -> None:
        """A late one is none."""
        self.cluster.delay = ANSWER + 1
        asking = self.api.list()
        self.memory.settle(ANSWER)
        self.assertIn("does not answer", str(self.error(asking)))

    def test_a_watch_that_never_ends(self) -> None:
        """The server should have ended it; the connection may be dead: nobody waits for longer."""
        watching = self.watch()
        for watcher in self.cluster.watchers:
            watcher.end = lambda: None  # type: ignore[method-assign]
        self.memory.settle(60 + LEEWAY)
        self.assertIn("has not ended its answer within 75s", str(self.error(watching)))

    def test_a_cut(self) -> None:
        """A connection that ends within an answer is an error."""
        watching = self.watch()
        self.cluster.cut()
        self.memory.settle()
        self.assertEqual(str(self.error(watching)), "the API server has closed the connection")

    def test_what_take_raises(self) -> None:
        """It ends the watch and its connection."""

        def refuse(piece: bytes) -> None:
            raise ApiError("no")

        watching = self.watch(take=refuse)
        self.cluster.touch()
        self.memory.settle()
        self.assertEqual(str(self.error(watching)), "no")
        self.memory.settle()
        self.assertEqual(self.cluster.watching(), 0)

    def test_cancelled(self) -> None:
        """The connection is closed, of a list as well as of a watch."""
        watching = self.watch()
        watching.cancel()
        self.failureResultOf(watching, CancelledError)
        self.memory.settle()
        self.assertEqual(self.cluster.watching(), 0)
        self.cluster.silent = True
        listing = self.api.list()
        listing.cancel()
        self.failureResultOf(listing, CancelledError)

    def test_an_endless_answer(self) -> None:
        """What is held in memory has a bound."""
        self.cluster._pods["job-1"]["spec"]["noise"] = "x" * (4 * 1024 * 1024)
        self.assertIn("more than 4096 KiB", str(self.error(self.api.list())))

    def test_nothing_is_left(self) -> None:
        """No timer goes on after an answer."""
        self.successResultOf(self.api.list())
        self.cluster.forbidden = ["list"]
        self.error(self.api.list())
        self.assertEqual(self.memory.clock.getDelayedCalls(), [])


class ExplanationTests(SynchronousTestCase):
    def reason(self, error: BaseException) -> str:
        home = Path(self.mktemp())
        home.mkdir()
        memory = MemoryApi(home)
        agent: Any = _Failing(error)
        memory.api._agent = agent
        return str(self.failureResultOf(memory.api.list(), ApiError).value)

    def test_nobody_listens(self) -> None:
        """Where it was asked, and what the system says."""
        expected = "the API server at http://kubernetes cannot be reached: connection refused"
        self.assertEqual(self.reason(failed.ConnectionRefusedError()), expected)

    def test_another_certificate(self) -> None:
        """A certificate that another authority has signed is told in OpenSSL's words."""
        error = SSL.Error([("SSL routines", "", "certificate verify failed")])
        reason = self.reason(ResponseNeverReceived([Failure(error)]))
        self.assertTrue(reason.endswith("is not whom it should be: certificate verify failed"), reason)

    def test_a_certificate_for_another_name(self) -> None:
        """It is told so."""
        reason = self.reason(ResponseNeverReceived([Failure(VerificationError(["x"]))]))
        self.assertTrue(reason.endswith("is not whom it should be: its certificate is for another name"))

    def test_closed(self) -> None:
        """Whichever way the connection ended."""
        for error in (ConnectionDone(), ConnectionLost()):
            reason = self.reason(ResponseNeverReceived([Failure(error)]))
            self.assertEqual(reason, "the API server has closed the connection")

    def test_anything_else(self) -> None:
        """The text of a foreign error may hold anything, so only its kind is told."""
        self.assertEqual(self.reason(ValueError("token-1")), "the API server cannot be asked (ValueError)")
