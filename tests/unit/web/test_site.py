"""Every endpoint with its codes, through the real Klein application and a real HTTP client in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from treq.testing import StubTreq
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import IResource

from procwrap.core.events import End, Event, Notice
from procwrap.core.lifecycle import State
from procwrap.core.snapshot import Snapshot
from procwrap.spec.plan import LivenessRule
from procwrap.web.answers import SECURITY_HEADERS
from procwrap.web.front import Front
from procwrap.web.inspect import ping
from procwrap.web.limits import Limits
from procwrap.web.routing import Access, Route, routed
from procwrap.web.site import make_front
from tests.support.web import Host


class SiteTests(SynchronousTestCase):
    """A client that asks a host."""

    def setUp(self) -> None:
        self.host = Host()
        self.serve(make_front(self.host.view, Limits()))

    def serve(self, resource: IResource) -> None:
        self.client = StubTreq(resource)

    def begin(
        self, target: str, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> Deferred[Any]:
        asked = self.client.request(method, f"http://procwrap:8111{target}", headers=headers)
        self.client.flush()
        return asked

    def ask(self, target: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Any:
        """Return the response to a request."""
        return self.successResultOf(self.begin(target, method, headers))

    def text(self, response: Any) -> str:
        return self.successResultOf(response.text())

    def json(self, target: str, code: int = 200, method: str = "GET", **headers: str) -> Any:
        """Return the JSON body of a response that must have this code."""
        response = self.ask(target, method, headers)
        text = self.text(response)
        self.assertEqual((response.code, text[-1:]), (code, "\n"))
        self.assertEqual(response.headers.getRawHeaders("content-type"), ["application/json; charset=utf-8"])
        return json.loads(text)


class HealthTests(SiteTests):
    def test_not_ready_before_anything_was_started(self) -> None:
        """Before there are processes, readiness is 503 and liveness 200."""
        self.assertEqual(self.json("/readiness", 503)["processes"], {})
        self.assertTrue(self.json("/liveness")["healthy"])

    def test_the_cause_is_named(self) -> None:
        """503 says which processes are the cause, in which state, and why."""
        self.host.all_up()
        self.host.becomes("api", State.UNHEALTHY, "http://x/: 503")
        for question in ("/readiness", "/liveness"):
            self.assertEqual(
                self.json(question, 503),
                {
                    "healthy": False,
                    "preempted": False,
                    "shutdown": False,
                    "processes": {"api": {"state": "unhealthy", "reason": "http://x/: 503"}},
                },
            )

    def test_answers_follow_what_happens(self) -> None:
        """An answer that was prepared is not given again after something has changed."""
        self.host.all_up()
        self.assertEqual(self.ask("/readiness").code, 200)
        self.host.becomes("db", State.BACKOFF)
        self.assertEqual(self.ask("/readiness").code, 503)
        self.host.becomes("db", State.RUNNING)
        self.assertEqual(self.ask("/readiness").code, 200)

    def test_shutdown(self) -> None:
        """From the first moment of the shutdown on: not ready, and alive."""
        self.host.all_up()
        self.host.shut_down()
        self.host.becomes("api", State.STOPPING)
        self.assertTrue(self.json("/readiness", 503)["shutdown"])
        self.assertTrue(self.json("/liveness")["healthy"])

    def test_the_rule_of_liveness(self) -> None:
        """With the rule ``stuck`` a process in backoff is no reason to restart the container."""
        self.host.rule = LivenessRule.STUCK
        self.serve(make_front(self.host.view, Limits()))
        self.host.all_up()
        self.host.becomes("api", State.BACKOFF)
        self.assertEqual(self.ask("/liveness").code, 200)
        self.host.becomes("api", State.FAILED)
        self.assertEqual(self.ask("/liveness").code, 503)

    def test_head(self) -> None:
        """HEAD tells the code and the length, without the body."""
        for target in ("/readiness", "/readiness?x=1", "/ping", "/status"):
            got, response = self.ask(target), self.ask(target, "HEAD")
            self.assertEqual((response.code, self.text(response)), (got.code, ""))
            length = response.headers.getRawHeaders("content-length", [None])[0]
            self.assertEqual(length, None if got.code == 204 else str(got.length))


class WaitTests(SiteTests):
    def test_answers_at_once_when_healthy(self) -> None:
        """Whoever waits for what is already so, waits no longer."""
        self.host.all_up()
        for target in ("/readiness?wait", "/liveness?wait=", "/readiness?wait=30s"):
            self.assertEqual(self.ask(target).code, 200)
        self.assertEqual(self.host.watchers, 0)

    def test_answers_when_it_becomes_healthy(self) -> None:
        """``?wait`` is answered the moment in which the last process got healthy, however long it took."""
        self.host.declare()
        waiting = self.begin("/readiness?wait")
        self.host.becomes("api", State.RUNNING)
        self.host.clock.advance(86_400)
        self.client.flush()
        self.assertNoResult(waiting)
        self.host.becomes("db", State.RUNNING)
        self.client.flush()
        self.assertEqual(self.successResultOf(waiting).code, 200)
        self.assertEqual(self.host.watchers, 0)

    def test_gives_up(self) -> None:
        """``?wait=30s`` answers 503 after 30 s, with what is the cause by then."""
        self.host.declare()
        waiting = self.begin("/readiness?wait=30s")
        self.host.clock.advance(29.9)
        self.client.flush()
        self.assertNoResult(waiting)
        self.host.becomes("api", State.RUNNING)
        self.host.clock.advance(0.2)
        self.client.flush()
        response = self.successResultOf(waiting)
        self.assertEqual(response.code, 503)
        self.assertEqual(list(json.loads(self.text(response))["processes"]), ["db"])
        self.assertEqual(self.host.watchers, 0)

    def test_the_shutdown_ends_all_waiting(self) -> None:
        """What will not get ready any more is not waited for."""
        self.host.declare()
        waiting = [self.begin("/readiness?wait"), self.begin("/readiness?wait=30s")]
        self.host.shut_down()
        self.client.flush()
        self.assertEqual([self.successResultOf(one).code for one in waiting], [503, 503])
        self.assertEqual(self.ask("/readiness?wait").code, 503)
        self.assertEqual(self.host.watchers, 0)

    def test_bad_duration(self) -> None:
        """A time that is none is 400, also when the answer would be 200 at once."""
        for _ in range(2):
            self.assertIn("wait=bad", self.json("/readiness?wait=bad", 400)["error"])
            self.host.all_up()

    def test_the_room_has_100_seats(self) -> None:
        """The 101st waiting request is told to come back; when one is answered, there is room again."""
        self.host.declare()
        waiting = [self.begin("/readiness?wait=5s" if n else "/readiness?wait=1s") for n in range(100)]
        refused = self.ask("/liveness?wait")
        self.assertEqual(refused.code, 503)
        self.assertEqual(refused.headers.getRawHeaders("retry-after"), ["5"])
        self.assertEqual(self.ask("/liveness").code, 503)
        self.host.clock.advance(1.5)
        self.client.flush()
        self.successResultOf(waiting[0])
        self.assertNoResult(self.begin("/liveness?wait"))
        self.assertEqual(self.host.watchers, 100)

    def test_head_waits_too(self) -> None:
        """HEAD with ``?wait`` waits like GET."""
        self.host.declare()
        waiting = self.begin("/readiness?wait", "HEAD")
        self.assertNoResult(waiting)
        self.host.all_up()
        self.client.flush()
        self.assertEqual(self.successResultOf(waiting).code, 200)


class InspectionTests(SiteTests):
    def test_ping(self) -> None:
        """HTTP is served, whatever the processes do."""
        self.assertEqual(self.json("/ping"), {"ping": "ok"})

    def test_pids(self) -> None:
        """Pids of what runs; 204 without a body when nothing does."""
        self.host.declare()
        response = self.ask("/pids")
        self.assertEqual((response.code, self.text(response)), (204, ""))
        self.host.spawned("db", 31)
        self.assertEqual(self.json("/pids"), {"db": 31})

    def test_pidof(self) -> None:
        """The pid of one process as text; 400 without a name, 404 when it doesn't run or exist."""
        self.host.declare()
        self.host.spawned("db", 31)
        response = self.ask("/pidof?name=db")
        self.assertEqual((response.code, self.text(response)), (200, "31\n"))
        self.assertEqual(response.headers.getRawHeaders("content-type"), ["text/plain; charset=utf-8"])
        self.assertIn("waiting", self.json("/pidof?name=api", 404)["error"])
        self.json("/pidof?name=nobody", 404)
        self.json("/pidof?name=", 400)
        self.json("/pidof", 400)

    def test_pid_of_what_has_ended(self) -> None:
        """A pid that is gone is told to nobody."""
        self.host.declare()
        self.host.spawned("db", 31)
        self.host.ended("db", End(code=1))
        self.json("/pidof?name=db", 404)
        self.assertEqual(self.ask("/pids").code, 204)

    def test_status(self) -> None:
        """Which processes are healthy; 204 before there are any."""
        self.assertEqual(self.ask("/status").code, 204)
        self.host.all_up()
        self.host.becomes("api", State.UNHEALTHY)
        self.assertEqual(self.json("/status"), {"api": False, "db": True})

    def test_full_status(self) -> None:
        """Everything about them with ``?full`` or the profile in Accept."""
        self.host.all_up()
        self.host.spawned("api", 31)
        self.host.clock.advance(2.5)
        for target, headers in (
            ("/status?full", {}),
            ("/status?full=1", {}),
            ("/status", {"Accept": "application/json; profile=full"}),
            ("/status", {"Accept": 'text/html, application/json;profile="full"'}),
        ):
            shown = self.json(target, **headers)
            self.assertEqual((shown["api"]["uptime"], shown["db"]["pid"]), (2.5, None))
        self.assertEqual(self.json("/status", Accept="application/json; profile=fuller")["api"], True)


class HeartbeatTests(SiteTests):
    def test_taken(self) -> None:
        """PATCH, POST and PUT give a heartbeat; GET shows when the last one came."""
        for method in ("PATCH", "POST", "PUT"):
            self.host.clock.advance(1)
            self.json("/heartbeat?name=api", 202, method)
            self.assertEqual(self.host.heartbeats.last("api").at, self.host.clock.seconds())
        self.assertEqual(
            self.json("/heartbeat?name=api"), {"name": "api", "lastHeartBeat": "2026-11-21T20:03:04.567Z"}
        )

    def test_all_of_them(self) -> None:
        """Without a name, GET shows those of all processes."""
        self.json("/heartbeat?name=db", 202, "PATCH")
        self.assertEqual(
            self.json("/heartbeat"),
            [
                {"name": "api", "lastHeartBeat": None},
                {"name": "db", "lastHeartBeat": "2026-11-21T20:03:04.567Z"},
            ],
        )

    def test_without_a_name(self) -> None:
        """A heartbeat of nobody is 400."""
        self.json("/heartbeat", 400, "PATCH")
        self.json("/heartbeat?name=", 400, "PATCH")

    def test_of_an_unknown_process(self) -> None:
        """A name that is not in the plan is 404, and nothing grows."""
        for number in range(100):
            self.json(f"/heartbeat?name=nobody{number}", 404, "PATCH")
        self.json("/heartbeat?name=nobody1", 404)
        self.assertEqual(self.host.heartbeats._last, {})


class ErrorTests(SiteTests):
    def test_unknown_paths(self) -> None:
        """What there is not (yet) is 404 in JSON, whatever it looks like."""
        for target in (
            "/api", "/api/nothing", "/config/", "/config/none", "/ping/",
            "/ping//", "/ping/x", "/%2e%2e/etc/passwd", "/%ff", "/\N{SNOWMAN}", "/PING", "/*",
        ):  # fmt: skip
            self.assertEqual(self.json(target, 404), {"error": "no such path"}, target)

    def test_wrong_methods(self) -> None:
        """A method that a path does not know is 405, with those that it knows."""
        for path, allowed in (("/ping", "GET, HEAD"), ("/heartbeat", "GET, HEAD, PATCH, POST, PUT")):
            for method in ("DELETE", "OPTIONS", "TRACE", "BREW"):
                response = self.ask(path, method)
                self.assertEqual(response.code, 405)
                self.assertEqual(response.headers.getRawHeaders("allow"), [allowed])
                self.assertEqual(json.loads(self.text(response)), {"error": f"only {allowed}"})
        self.json("/readiness", 405, "POST")

    def test_too_many_arguments(self) -> None:
        """A query of thousands of arguments is not worked on."""
        self.json("/pidof?" + "&".join("name=api" for _ in range(1500)), 400)

    def test_odd_arguments(self) -> None:
        """Whatever stands in a query is a name that nobody has, never an error of ours."""
        for value in ("%ff%fe", "%00", "%F0%9F%90%8D", "a" * 8000, "+", "%", "%zz", "\N{SNOWMAN}"):
            self.assertIn(self.ask(f"/pidof?name={value}").code, (400, 404))

    def test_odd_hosts(self) -> None:
        """The Host header matters to nobody."""
        for host in ("", "x:y:z", "[", "a" * 300, "\N{SNOWMAN}", "..", "evil.example/path"):
            self.assertEqual(self.ask("/ping", headers={"Host": host}).code, 200, host)

    def test_security_headers_are_on_everything(self) -> None:
        """Good or bad, each response has them, and none says which server this is."""
        for target, method in (("/liveness", "GET"), ("/pids", "GET"), ("/nope", "GET"), ("/ping", "POST")):
            headers = self.ask(target, method).headers
            for name, value in SECURITY_HEADERS:
                self.assertEqual(headers.getRawHeaders(name), [value], (target, name))
            self.assertIsNone(headers.getRawHeaders("server"))

    def test_a_bug_is_500_without_insides(self) -> None:
        """When a route breaks the client reads that it did, and the log says where, without the text."""
        reported: list[str] = []

        def broken(_: object) -> None:
            raise KeyError("s3cret")

        route = Route("/broken", ("GET",), Access.EVERYONE, broken)
        self.serve(Front(routed((route,), reported.append), {}))
        self.assertEqual(self.json("/broken", 500), {"error": "internal error; procwrap's log says more"})
        self.assertEqual(len(reported), 1)
        self.assertRegex(reported[0], r"^cannot answer a request: KeyError in test_site\.py:\d+$")

    def test_doubled_slashes(self) -> None:
        """A path with doubled slashes is another path: nobody is redirected."""
        self.serve(Front(routed((Route("/a/b", ("GET",), Access.EVERYONE, ping),), print), {}))
        self.json("/a/b")
        self.json("/a//b", 404)

    def test_a_bug_is_told_on_the_board(self) -> None:
        """The one line about a broken route is a notice like any other."""
        told: list[Event] = []

        def listen(_: Snapshot, event: Event) -> None:
            told.append(event)

        self.host.all_up()
        self.host.board.watch(listen)
        self.host.clock.seconds = lambda: 1 / 0
        self.json("/status?full", 500)
        [notice] = told
        assert isinstance(notice, Notice)
        self.assertIn("ZeroDivisionError", notice.text)
