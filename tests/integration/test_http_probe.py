"""http probes against a real nginx."""

from __future__ import annotations

import base64
import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from twisted.internet.defer import Deferred, inlineCallbacks

from procwrap.core.events import ProbeResult
from procwrap.spec.probe import HttpProbe, TcpProbe
from tests.support.configs import process_of
from tests.support.hosted import Hosted, free_port, process
from tests.support.realprobes import RealProbes, Steps, sockets_open
from tests.support.servers.nginx import BIG, PASSWORD, STATUSES, USER, Nginx

pytestmark = [pytest.mark.integration, pytest.mark.alone]

MOST_SENT = 8 * 1024 * 1024
"""What the kernel takes from nginx before anybody reads it: two socket buffers, and a little more."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """One nginx for all tests of this module; who stops it starts it again."""
    nginx = Nginx(tmp_path_factory.mktemp("http") / "nginx")
    try:
        nginx.start()
        yield nginx
    finally:
        nginx.stop()


class NginxTests(RealProbes):
    @pytest.fixture(autouse=True)
    def _nginx(self, shared: Nginx) -> None:
        self.nginx = shared
        shared.forget()

    def page(self, path: str, *, scheme: str = "http", **settings: Any) -> Any:
        """A probe of a page."""
        return self.build(HttpProbe(self.nginx.url(path, scheme=scheme), **settings))

    @inlineCallbacks
    def seen(self, *probes: Any) -> Any:
        """What the probes say they have seen; nothing when all was well."""
        results = yield self.look(*probes)
        return [
            result.reason.partition(f"{probe.target}: ")[2].partition(", expected")[0]
            for probe, result in zip(probes, results, strict=True)
        ]

    @inlineCallbacks
    def served(self, uri: str, times: int = 1) -> Any:
        """What nginx says about the last requests of a path, once it does."""
        yield self.until(lambda: len(self.nginx.served(uri)) >= times)
        return self.nginx.served(uri)[-1]


class AnswerTests(NginxTests):
    @inlineCallbacks
    def test_statuses(self) -> Steps:
        """200 to 399 are well, everything else is not, and says so."""
        results = yield self.look(*(self.page(f"/status/{code}") for code in STATUSES))
        said = [result.reason.partition("/status/")[2] for result in results]
        assert said == [f"{code}: {code}, expected 200-399" if code > 399 else "" for code in STATUSES]

    @inlineCallbacks
    def test_configured_statuses(self) -> Steps:
        """What is well can be told."""
        asked = ((418, 418), (500, 599))
        teapot, error, fine = (
            self.page(path, statuses=asked) for path in ("/status/418", "/status/503", "/ok")
        )
        assert (yield self.seen(teapot, error, fine)) == ["", "", "200"]
        assert fine.expected == "418,500-599"

    @inlineCallbacks
    def test_redirects(self) -> Steps:
        """Redirects to the same host are followed, to another port with TLS too; others are an answer."""
        pages = ("/redirect", "/redirect-to-tls", "/redirect-to-failure", "/redirect-away")
        assert (yield self.seen(*map(self.page, pages))) == ["", "", "503", ""]
        assert (yield self.seen(self.page("/redirect-for-ever"))) == ["more than 10 redirects"]
        assert len(self.nginx.served("/redirect-for-ever")) == 11

    @inlineCallbacks
    def test_heads_without_bodies(self) -> Steps:
        """HEAD, 204, 304 and an interim 100 are no reason to wait for anything."""
        conditional = (("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"),)
        probes = [
            self.page("/big", method="HEAD"),
            self.page("/ok", headers=conditional, statuses=((304, 304),)),
            self.page("/ok", headers=(("Expect", "100-continue"),), statuses=((200, 200),)),
            self.page("/status/204"),
        ]
        results = yield self.look(*probes)
        assert [result.reason for result in results] == [""] * 4
        assert max(result.took for result in results) < 0.5

    @inlineCallbacks
    def test_every_request_has_its_connection(self) -> Steps:
        """No connection is used twice or kept, whatever nginx would like."""
        for path in ("/ok", "/not-kept", "/ok", "/not-kept"):
            assert (yield self.seen(self.page(path))) == [""]
        yield self.served("/not-kept", 2)
        used = [entry.connection for path in ("/ok", "/not-kept") for entry in self.nginx.served(path)]
        assert len(set(used)) == len(used)
        yield self.until(lambda: self.nginx.connections() == 1)

    @inlineCallbacks
    def test_given_host(self) -> Steps:
        """A ``Host`` of one's own reaches the server."""
        yield self.look(self.page("/ok", headers=(("Host", "api.example:81"),)))
        assert (yield self.served("/ok")).host == "api.example:81"

    @inlineCallbacks
    def test_tls(self) -> Steps:
        """A certificate that nobody signed is well; plain HTTP to the TLS port is told by nginx itself."""
        assert (yield self.seen(self.page("/ok", scheme="https"))) == [""]
        plain = self.build(HttpProbe(f"http://127.0.0.1:{self.nginx.tls_port}/ok"))
        assert (yield self.seen(plain)) == ["400"]
        wrong = self.build(HttpProbe(f"https://127.0.0.1:{self.nginx.port}/ok"))
        assert "TLS failed" in (yield self.seen(wrong))[0]

    @inlineCallbacks
    def test_hanging_up(self) -> Steps:
        """A server that closes without a word is told from one that is not there."""
        assert (yield self.seen(self.page("/hang-up"))) == ["connection closed without an answer"]
        gone = self.build(HttpProbe(f"http://127.0.0.1:{free_port()}/"))
        assert (yield self.seen(gone)) == ["connection refused"]


class BodyTests(NginxTests):
    @inlineCallbacks
    def test_big_body(self) -> Steps:
        """Of 100 MB nothing is taken but what the kernel took unasked; and no memory."""
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert (yield self.seen(self.page("/big"))) == [""]
        assert (yield self.served("/big")).bytes_sent < MOST_SENT < BIG / 10
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2048

    @inlineCallbacks
    def test_compressed_body(self) -> Steps:
        """A body that is sent compressed unasked is not unpacked: 100 MB of zeros would be seen."""
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert (yield self.seen(self.page("/gzip"))) == [""]
        yield self.served("/gzip")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2048

    @inlineCallbacks
    def test_chunked_body(self) -> Steps:
        """Neither does a body without a length matter."""
        assert (yield self.seen(self.page("/chunked"))) == [""]
        assert (yield self.served("/chunked")).status == 200

    @inlineCallbacks
    def test_slow_body(self) -> Steps:
        """The headers decide at once; the body is left to itself a second later."""
        (result,) = yield self.look(self.page("/slow-body", timeout=0.5))
        assert (result.reason, result.took < 0.4) == ("", True)
        assert (yield self.served("/slow-body")).bytes_sent < 10_000

    @inlineCallbacks
    def test_slow_headers(self) -> Steps:
        """Headers that trickle have as much time as all others."""
        before = sockets_open()
        (result,) = yield self.look(self.page("/slow-headers", timeout=0.5))
        assert "no answer within 0.5s" in result.reason
        assert abs(result.took - 0.5) < 0.1
        yield self.until(lambda: sockets_open() == before)
        assert (yield self.served("/slow-headers")).bytes_sent < 200

    @inlineCallbacks
    def test_three_hundred_rounds(self) -> Steps:
        """Answers of all kinds leave no connection at either end."""
        pages = ("/ok", "/big", "/chunked", "/gzip", "/hang-up", "/slow-headers", "/redirect", "/slow-body")
        probes = [self.page(path, timeout=0.05) for path in pages]
        before = sockets_open()
        for _ in range(40):
            yield self.look(*probes)
        yield self.until(lambda: sockets_open() <= before)
        yield self.until(lambda: self.nginx.connections() == 1)


class LoginTests(NginxTests):
    def login(self, password: str) -> Any:
        """A probe as the config makes it of a URL with a password."""
        url = self.nginx.url("/secret", login=f"{USER}:{quote(password, safe='')}@")
        check = process_of(f"readiness: {{http: {{url: '{url}'}}}}").readiness
        assert check is not None
        return self.build(check.probes[0])

    @inlineCallbacks
    def test_right_password(self) -> Steps:
        """User and password of the URL are sent, however they had to be written there."""
        assert (yield self.seen(self.login(PASSWORD))) == [""]

    @inlineCallbacks
    def test_wrong_password(self) -> Steps:
        """A wrong password is a 401, and neither it nor its header is in anything that can be shown."""
        wrong = PASSWORD[::-1]
        probe = self.login(wrong)
        (result,) = yield self.look(probe)
        assert result.reason == f"{self.nginx.url('/secret')}: 401, expected 200-399"
        shown = f"{probe!r} {probe.target} {probe.expected} {result!r}"
        header = base64.b64encode(f"{USER}:{wrong}".encode()).decode()
        assert not [form for form in (wrong, quote(wrong, safe=""), header) if form in shown]


class TroubleTests(NginxTests):
    """Each leaves nginx running again."""

    def tearDown(self) -> None:
        self.nginx.stop()
        self.nginx.start()

    def probes(self, path: str = "/ok", timeout: float = 0.5) -> list[Any]:
        """http, https and tcp."""
        return [
            self.page(path, timeout=timeout),
            self.page(path, timeout=timeout, scheme="https"),
            self.build(TcpProbe("127.0.0.1", self.nginx.port, timeout=timeout)),
        ]

    @inlineCallbacks
    def test_frozen(self) -> Steps:
        """A stopped nginx lets its kernel connect and never answers; when it goes on, so do the probes."""
        self.nginx.freeze()
        results = yield self.look(*self.probes())
        assert [bool(result.reason) for result in results] == [True, True, False]
        for result in results[:2]:
            assert "no answer within 0.5s" in result.reason
            assert abs(result.took - 0.5) < 0.1
        self.nginx.thaw()
        results = yield self.look(*self.probes())
        assert [result.reason for result in results] == [""] * 3

    @inlineCallbacks
    def test_gone_and_back(self) -> Steps:
        """A killed nginx is refused at once, and seen again as soon as it is back."""
        self.nginx.kill()
        results = yield self.look(*self.probes())
        assert all(": connection refused, expected" in result.reason for result in results)
        self.nginx.start()
        results = yield self.look(*self.probes())
        assert [result.reason for result in results] == [""] * 3

    @inlineCallbacks
    def test_killed_within_the_answer(self) -> Steps:
        """SIGKILL while the headers come is told when it happens, not at the timeout."""
        looking: Deferred[tuple[ProbeResult, ...]] = self.look(self.page("/slow-headers", timeout=10.0))
        yield self.until(lambda: self.nginx.connections() > 1)
        yield self.wait(0.1)
        self.nginx.kill()
        (result,) = yield looking
        assert ": connection closed within the answer, expected" in result.reason
        assert result.took < 5

    @inlineCallbacks
    def test_killed_before_the_answer(self) -> Steps:
        """So is a peer that dies with the request unanswered."""
        self.nginx.freeze()
        looking = self.look(self.page("/ok", timeout=10.0))
        yield self.wait(0.2)
        self.nginx.kill()
        (result,) = yield looking
        assert ": connection closed without an answer, expected" in result.reason


def test_a_server_that_comes_and_goes(shared: Nginx, tmp_path: Path) -> None:
    """The host itself says each change once, in words without the password, and nothing piles up."""
    url = shared.url("/secret", login=f"{USER}:{quote(PASSWORD, safe='')}@")
    check = {
        "delay": "50ms",
        "period": "50ms",
        "restartOnFailure": False,
        "http": {"url": url, "timeout": "300ms"},
    }
    plan = [process("api", "exec sleep 60", readiness=check)]
    with Hosted(tmp_path, plan, ["--debug"], http=True) as hosted:
        hosted.up()
        for trouble, relief, words in (
            (shared.freeze, shared.thaw, "no answer within 300ms|no answer within 0.3s"),
            (shared.kill, shared.start, "connection refused"),
        ):
            recoveries = len(hosted.said("^recovered$"))
            trouble()
            hosted.until(lambda words=words: hosted.said(words))
            assert hosted.get("/readiness")[0] == 503
            relief()
            hosted.until(lambda before=recoveries: len(hosted.said("^recovered$")) == before + 1)
            assert hosted.get("/readiness?wait=5s")[0] == 200
        answers = str([hosted.get(path) for path in ("/status?full", "/readiness", "/pids")])
        open_files = len(os.listdir(f"/proc/{hosted.process.pid}/fd"))
        assert open_files < 40
        assert hosted.end() == 0
        everything = answers + hosted.told()
    header = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    assert not [form for form in (PASSWORD, quote(PASSWORD, safe=""), header) if form in everything]
