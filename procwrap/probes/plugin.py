"""Probes of other packages, kept from doing harm; docs/howto/write-a-probe.md is their side of it.

A plugin is code that we have not read. Whatever it raises, returns or forgets, a round gets one result with
one line, nothing it says shows a secret of its settings or of the process, and procwrap goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import iscoroutine
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from procwrap.errors import ProbeError
from procwrap.interfaces import ICommandRunner, IProbe
from procwrap.probes.aside import Asides
from procwrap.probes.context import ProbeContext
from procwrap.probes.dial import Dial
from procwrap.probes.secrets import masked, secret_values
from procwrap.probes.wording import missed, one_line, trouble
from procwrap.spec.probe import PluginProbe

_log = Logger()


@frozen
class PluginContext:
    """What a plugin is lent to look with. This much stays as it is; all times are reactor seconds.

    Attributes:
        reactor: provides IReactorTime, IReactorTCP and IReactorUNIX among others.
        environment: returns the process's environment as it was at its last start.
        started_at: returns when the process was last started, or None.
        asides: ``asides.ask(function, text)`` calls a function that may block in a thread and returns a
            Deferred of what it returns; equal questions that are still open are asked once.
        runner: ``runner.run(entrypoint, args, envs)`` runs a command as the process itself would.
    """

    reactor: Any
    environment: Callable[[], Mapping[str, str]]
    started_at: Callable[[], float | None]
    asides: Asides
    runner: ICommandRunner

    def endpoint(self, host: str, port: int) -> IStreamClientEndpoint:
        """Return where to connect to ``host:port``; its name is looked up without blocking anyone."""
        return Dial(self.reactor, self.asides, host, port)


@implementer(IProbe)
@define(eq=False)
class Plugin:
    """A probe of another package; the plugin's own object is made when it first looks."""

    _spec: PluginProbe
    _context: ProbeContext
    _probe: Any = field(default=None, init=False)
    _looked: Deferred[Any] | None = field(default=None, init=False)

    @property
    def kind(self) -> str:
        """The key in the config, whatever the plugin calls itself."""
        return self._spec.key

    @property
    def timeout(self) -> float:
        """As configured, or what the plugin takes by default."""
        return self._spec.timeout

    @property
    def target(self) -> str:
        """What the plugin says, behind its key."""
        said = self._said("target")
        return said if said.startswith(self.kind) else f"{self.kind} {said}".rstrip()

    @property
    def expected(self) -> str:
        """What the plugin says."""
        return self._said("expected") or "to succeed"

    def check(self) -> Deferred[None]:
        """Let the plugin look; however that goes, the Deferred fails with nothing but ProbeError."""
        try:
            looking = self._made().check()
            if iscoroutine(looking):
                looking = Deferred.fromCoroutine(looking)
        except (Exception, SystemExit) as error:
            raise self._explained(error) from None
        if not isinstance(looking, Deferred):
            raise self._missed(f"a bug: check() returned {type(looking).__name__} instead of a Deferred")
        if looking is self._looked:
            # It has nothing to say to a second listener, which would look like success.
            raise self._missed("a bug: check() returned the Deferred of an earlier round")
        self._looked = looking
        answer: Deferred[None] = Deferred(lambda _: self._cancel(looking))
        looking.addCallbacks(self._answered, self._failed, callbackArgs=(answer,), errbackArgs=(answer,))
        return answer

    def close(self) -> None:
        """Let the plugin give up what it keeps."""
        if self._probe is None:
            return
        try:
            close = getattr(self._probe, "close", None)
            if close is not None:
                close()
        except (Exception, SystemExit) as error:
            self._complain("close", error)

    def _made(self) -> Any:
        # At the first look and not in the constructor, so that a plugin that cannot be made yet is a failed
        # probe of its own key, and is tried again in the next round.
        if self._probe is None:
            context = self._context
            self._probe = self._spec.factory(
                self._spec.settings,
                PluginContext(
                    context.reactor, context.environment, context.started_at, context.asides, context.runner
                ),
            )
        return self._probe

    def _answered(self, result: object, answer: Deferred[None]) -> None:
        if answer.called:
            return
        if result is False:
            answer.errback(self._missed("it said False"))
        else:
            answer.callback(None)

    def _failed(self, failure: Failure, answer: Deferred[None]) -> None:
        if not answer.called:
            answer.errback(self._explained(failure.value))

    def _cancel(self, looking: Deferred[Any]) -> None:
        try:
            looking.cancel()
        except (Exception, SystemExit) as error:
            self._complain("cancel", error)

    def _explained(self, error: BaseException | None) -> ProbeError:
        if isinstance(error, ProbeError):
            return self._missed(error.reason)
        if isinstance(error, ConnectError | OSError):
            return self._missed(trouble(error))
        if isinstance(error, ConnectionClosed):
            return self._missed("connection closed")
        if isinstance(error, CancelledError):
            return self._missed("it was cancelled")
        said = str(error)
        return self._missed(f"{type(error).__name__}: {said}" if said else type(error).__name__)

    def _missed(self, seen: str) -> ProbeError:
        return missed(self, self._clean(seen))

    def _said(self, attribute: str) -> str:
        try:
            said = getattr(self._probe, attribute, "")
            return self._clean(said) if isinstance(said, str) else ""
        except (Exception, SystemExit):
            return ""

    def _clean(self, text: str) -> str:
        secrets = [*self._spec.secrets, *secret_values(self._context.environment())]
        return one_line(masked(text, secrets))

    def _complain(self, verb: str, error: BaseException) -> None:
        said = self._clean(f"{type(error).__name__}: {error}")
        _log.warn("The probe {kind} could not {verb}: {said}", kind=self.kind, verb=verb, said=said)
