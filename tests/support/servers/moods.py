"""A server in a process of its own that misbehaves on demand: the base of those that take records and events.

A server is a module with a Klein app in it. Run as a program it calls ``serve``, which reads one command a
line, in JSON, from its standard input, and answers each with a line: ``{"mood": "hang"}`` or ``{"ask":
"streams"}``. A test holds it as ``Moody``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from attrs import define, field
from klein import Klein
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater
from twisted.protocols.policies import WrappingFactory
from twisted.web.server import Site

from tests.support.hosted import PATIENCE, ROOT

Say = Callable[[], bytes]
"""Does what a request asks for and returns the body of the answer."""


@define(eq=False)
class Moods:
    """How requests are answered at present.

    ==========  ===================================================================================
    ``good``    as they should be
    ``status``  with ``status``, ``headers`` and ``body``, and nothing is done
    ``hang``    not at all
    ``slow``    after ``seconds``
    ``cut``     with half an answer, and nothing is done
    ``late``    not at all, but what they ask for is done: the answer is lost
    ``away``    nobody listens, and what is connected is cut; for ``seconds``, or until the next mood
    ==========  ===================================================================================

    With ``times``, so many requests are answered like this, and all others well.
    """

    _clock: IReactorTime
    mood: str = "good"
    status: int = 500
    headers: Mapping[str, str] = field(factory=dict)
    body: str = ""
    seconds: float = 0.0
    times: int | None = None
    asked: int = 0

    def set(self, mood: str, **how: Any) -> None:
        """Change how requests are answered."""
        self.mood, self.times = mood, None
        for name, value in how.items():
            setattr(self, name, value)

    def answer(self, request: Any, say: Say) -> bytes | Deferred[bytes]:
        """Answer a request."""
        self.asked += 1
        mood = self._next()
        if mood == "status":
            request.setResponseCode(self.status)
            for name, value in self.headers.items():
                request.setHeader(name, value)
            return self.body.encode()
        if mood == "slow":
            return deferLater(self._clock, self.seconds, say)  # type: ignore[arg-type]
        if mood in ("hang", "late"):
            if mood == "late":
                say()
            return Deferred()
        if mood == "cut":
            request.setHeader("content-length", "1000")
            request.write(b"half")
            request.transport.loseConnection()
            return Deferred()
        return say()

    def _next(self) -> str:
        if self.times is None:
            return self.mood
        self.times -= 1
        return self.mood if self.times >= 0 else "good"


class _Cuttable(WrappingFactory):
    """Knows the connections of a site, so that they can be cut."""

    noisy = False

    def cut_all(self) -> None:
        for connection in tuple(self.protocols):
            connection.transport.abortConnection()


class _Commands(Protocol):
    """One command a line, one answer a line."""

    def __init__(self, obey: Callable[[dict[str, Any]], object], done: Callable[[], object]) -> None:
        self._obey, self._done, self._rest = obey, done, b""

    def dataReceived(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            answer = json.dumps(self._obey(json.loads(line)))
            self.transport.write(answer.encode() + b"\n")  # type: ignore[union-attr]

    def connectionLost(self, reason: object = None) -> None:
        self._done()


def serve(make: Callable[[Moods], tuple[Klein, Mapping[str, Callable[[], Any]]]]) -> None:
    """Be the program: serve an app on a free port of 127.0.0.1 until standard input ends.

    Args:
        make: returns the app, and what it can be asked for.
    """
    from twisted.internet import reactor as installed
    from twisted.internet.stdio import StandardIO

    reactor: Any = installed
    tls = sys.argv[1:]
    moods = Moods(reactor)
    app, answers = make(moods)
    inner = Site(app.resource())  # type: ignore[no-untyped-call]
    inner.noisy = inner.displayTracebacks = False
    site = _Cuttable(inner)  # type: ignore[no-untyped-call]

    def listen(number: int = 0) -> Any:
        if not tls:
            return reactor.listenTCP(number, site, interface="127.0.0.1")
        from twisted.internet.ssl import DefaultOpenSSLContextFactory

        certificate, key = tls
        context = DefaultOpenSSLContextFactory(key, certificate)  # type: ignore[no-untyped-call]
        return reactor.listenSSL(number, site, context, interface="127.0.0.1")

    port = listen()
    number = port.getHost().port

    def come_back() -> None:
        nonlocal port
        if not port.connected:
            port = listen(number)
            moods.set("good")

    def obey(command: dict[str, Any]) -> object:
        if "ask" in command:
            return answers[command["ask"]]()
        come_back()
        moods.set(**command)
        if moods.mood == "away":
            port.stopListening()
            site.cut_all()
            if moods.seconds:
                reactor.callLater(moods.seconds, come_back)
        return number

    Factory.noisy = False
    StandardIO(_Commands(obey, reactor.stop))
    reactor.run()


class Moody:
    """A server as a test sees it; a context manager.

    Args:
        module: the program, such as ``tests.support.servers.loki``.
        tls: the files of a certificate and its key, for https.

    Attributes:
        port: where it listens, on 127.0.0.1.
    """

    def __init__(self, module: str, *tls: Path) -> None:
        self._words = [sys.executable, "-m", module, *map(str, tls)]
        self.port = 0

    def __enter__(self) -> Moody:
        self._process = subprocess.Popen(
            self._words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
        )
        self.port = self.be("good")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._process.communicate(timeout=PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def be(self, mood: str, **how: Any) -> Any:
        """Change how it answers; see ``Moods``."""
        return self._command({"mood": mood, **how})

    def ask(self, what: str) -> Any:
        """Ask what it has seen."""
        return self._command({"ask": what})

    def _command(self, command: Mapping[str, Any]) -> Any:
        pipes = self._process
        assert pipes.stdin is not None
        assert pipes.stdout is not None
        pipes.stdin.write(json.dumps(command) + "\n")
        pipes.stdin.flush()
        line = pipes.stdout.readline()
        assert line, f"{self._words[2]} has ended"
        return json.loads(line)
