"""What operators ask for over HTTP, through the real routes and a fleet of the test's own."""

from __future__ import annotations

import json
from typing import Any

from attrs import evolve
from treq.testing import StubTreq
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.changes import Changes
from procwrap.core.events import Declared
from procwrap.core.lifecycle import State
from procwrap.errors import OrderFailedError, OrderRefusedError, UsageError
from procwrap.web.limits import Limits
from procwrap.web.site import make_front
from tests.support.fleets import FakeFleet
from tests.support.web import Host

TOKEN = {"Authorization": "Bearer s3cret"}


class ControlCase(SynchronousTestCase):
    """An operator of two processes."""

    def setUp(self) -> None:
        self.fleet = FakeFleet()
        self.host = Host(token="s3cret", fleet=self.fleet)
        self.host.all_up()
        self.host.spawned("api", 31)
        self.client = StubTreq(make_front(self.host.view, Limits()))

    def begin(self, target: str, method: str = "POST", headers: Any = TOKEN) -> Deferred[Any]:
        asked = self.client.request(method, f"http://procwrap:8111{target}", headers=headers)
        self.client.flush()
        return asked

    def answer(self, asked: Deferred[Any]) -> tuple[int, Any]:
        """Return the code and the body of an answer that must have come."""
        self.client.flush()
        response = self.successResultOf(asked)
        return response.code, json.loads(self.successResultOf(response.text()))

    def ask(self, target: str, **how: Any) -> tuple[int, Any]:
        return self.answer(self.begin(target, **how))


class OrderTests(ControlCase):
    def test_an_order(self) -> None:
        """It is answered when it is done, with the state that came of it."""
        for verb in ("start", "stop", "restart"):
            asked = self.begin(f"/api/processes/api/{verb}")
            self.assertNoResult(asked)
            self.host.becomes("api", State.RUNNING, f"{verb} is done")
            self.fleet.pending.pop().callback(None)
            self.assertEqual(
                self.answer(asked),
                (200, {"name": "api", "state": "running", "pid": 31, "reason": f"{verb} is done"}),
            )
            self.assertEqual(self.fleet.asked.pop(), (verb, "api"))

    def test_without_waiting(self) -> None:
        """``wait=false`` is answered at once; what becomes of the order is nobody's business then."""
        code, body = self.ask("/api/processes/api/stop?wait=false")
        self.assertEqual((code, body["state"]), (202, "running"))
        self.assertEqual(self.fleet.asked, [("stop", "api"), ("not", "stop", "api")])

    def test_waiting_for_a_while(self) -> None:
        """``wait=30s`` gives up after that time; the order goes on."""
        asked = self.begin("/api/processes/api/restart?wait=30s")
        self.host.clock.advance(29.9)
        self.assertNoResult(asked)
        self.host.clock.advance(0.2)
        self.assertEqual(self.answer(asked)[0], 202)
        asked = self.begin("/api/processes/api/restart?wait=30s")
        self.fleet.pending[-1].callback(None)
        self.assertEqual(self.answer(asked)[0], 200)
        self.assertEqual(self.host.clock.getDelayedCalls(), [])

    def test_refused_and_failed(self) -> None:
        """What cannot be, or did not succeed, is 409 with the reason."""
        asked = self.begin("/api/processes/api/start")
        self.fleet.pending.pop().errback(OrderFailedError("api did not come up: exit code 1"))
        self.assertEqual(self.answer(asked), (409, {"error": "api did not come up: exit code 1"}))
        self.fleet.refuses = OrderRefusedError("procwrap is about to end")
        for query in ("", "?wait=false", "?wait=1s"):
            refused = self.ask(f"/api/processes/api/start{query}")
            self.assertEqual(refused, (409, {"error": "procwrap is about to end"}))
        self.assertEqual(self.ask("/api/processes/api/signal?signal=HUP")[0], 409)

    def test_one_who_leaves(self) -> None:
        """The order goes on; nobody waits for it any more, and the seat is free."""
        for _ in range(300):
            asked = self.begin("/api/processes/api/stop")
            asked.cancel()
            self.client.flush()
            self.failureResultOf(asked)
        self.assertEqual(self.fleet.asked.count(("not", "stop", "api")), 300)

    def test_too_many_wait(self) -> None:
        """Beyond twenty orders that are waited for, nothing is ordered; without waiting it still is."""
        waiting = [self.begin("/api/processes/api/stop") for _ in range(20)]
        self.assertEqual(self.ask("/api/processes/api/stop")[0], 503)
        self.assertEqual(self.ask("/api/reload")[0], 503)
        self.assertEqual(len(self.fleet.asked), 20)
        self.assertEqual(self.ask("/api/processes/api/stop?wait=false")[0], 202)
        for asked in waiting:
            asked.cancel()
            self.failureResultOf(asked)

    def test_strangers_who_wait(self) -> None:
        """However many wait who need no token, an operator's order is carried out."""
        self.host.becomes("api", State.UNHEALTHY)
        waiting = [self.begin("/readiness?wait", method="GET", headers={}) for _ in range(100)]
        self.assertEqual(self.ask("/liveness?wait", method="GET", headers={})[0], 503)
        asked = self.begin("/api/processes/api/stop")
        self.fleet.pending.pop().callback(None)
        self.assertEqual(self.answer(asked)[0], 200)
        for each in waiting:
            each.cancel()
            self.failureResultOf(each)

    def test_unknown_names(self) -> None:
        """What is no process is 404, and the fleet is not asked; names are decoded first."""
        for name in ("nobody", "..", "API", "a%20pi", "%00", "a" * 5000, "api%3Fwait=false", "%F0%9F%90%8D"):
            for verb in ("start", "stop", "restart", "signal?signal=HUP"):
                self.assertEqual(self.ask(f"/api/processes/{name}/{verb}")[0], 404, name)
        self.assertEqual(self.ask("/api/processes/%61pi/signal?signal=HUP")[0], 200)
        self.assertEqual(self.fleet.asked, [("signal", "api", "1")])

    def test_bad_arguments(self) -> None:
        """Nothing is done for a question that cannot be understood."""
        for target in ("stop?wait=soon", "signal", "signal?signal=", "signal?signal=FOO"):
            code, body = self.ask(f"/api/processes/api/{target}")
            self.assertEqual((code, list(body)), (400, ["error"]), target)
        self.assertEqual(self.fleet.asked, [])

    def test_without_the_token(self) -> None:
        """Nothing is done for strangers, and they learn nothing."""
        for target in ("processes/api/stop", "processes/nobody/stop", "processes/api/signal", "reload"):
            self.assertEqual(self.ask(f"/api/{target}", headers={})[0], 401)
        self.assertEqual(self.fleet.asked, [])

    def test_only_post(self) -> None:
        """A link that somebody follows changes nothing."""
        for target in ("processes/api/stop", "processes/api/signal?signal=HUP", "reload"):
            self.assertEqual(self.ask(f"/api/{target}", method="GET")[0], 405)
        self.assertEqual(self.fleet.asked, [])

    def test_where_there_is_no_fleet(self) -> None:
        """Everything is refused in words."""
        self.client = StubTreq(make_front(evolve(self.host.view, fleet=None), Limits()))
        for target in (
            "processes/api/start",
            "processes/api/stop",
            "processes/api/signal?signal=HUP",
            "reload",
        ):
            self.assertEqual(self.ask(f"/api/{target}"), (409, {"error": "nothing can be controlled here"}))


class ReloadTests(ControlCase):
    def test_changes(self) -> None:
        """What has changed is told by names and keys."""
        asked = self.begin("/api/reload")
        self.fleet.reloading[0].callback(
            Changes(added=("new",), restarted={"api": ("args",)}, unchanged=1, failed={"new": "exit code 1"})
        )
        code, body = self.answer(asked)
        self.assertEqual(code, 200)
        self.assertEqual(
            body,
            {
                "added": ["new"],
                "removed": [],
                "restarted": {"api": ["args"]},
                "adjusted": {},
                "unchanged": 1,
                "needsRestart": [],
                "failed": {"new": "exit code 1"},
                "warnings": [],
            },
        )

    def test_a_wrong_config(self) -> None:
        """All its errors are told, each with its place."""
        asked = self.begin("/api/reload")
        self.fleet.reloading[0].errback(UsageError("a.yaml:1:2: name: missing\na.yaml:3:4: x: unknown"))
        code, body = self.answer(asked)
        self.assertEqual(code, 422)
        self.assertEqual(body["errors"], ["a.yaml:1:2: name: missing", "a.yaml:3:4: x: unknown"])

    def test_refused(self) -> None:
        """It may be that there is nothing to be read again."""
        asked = self.begin("/api/reload")
        self.fleet.reloading[0].errback(OrderRefusedError("there is no file"))
        self.assertEqual(self.answer(asked), (409, {"error": "there is no file"}))

    def test_a_process_that_is_gone_afterwards(self) -> None:
        """An order is answered also when a reload has removed its process meanwhile."""
        asked = self.begin("/api/processes/api/stop")
        self.host.board.tell(Declared(("db",)))
        self.fleet.pending[0].callback(None)
        self.assertEqual(self.answer(asked)[0], 200)
