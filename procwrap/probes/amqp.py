"""The ``amqp`` probe: open a connection to a RabbitMQ."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any
from urllib.parse import quote

from attrs import define
from twisted.internet.abstract import isIPv6Address
from twisted.internet.defer import CancelledError, Deferred, inlineCallbacks
from twisted.internet.error import ConnectError
from zope.interface import implementer

from procwrap.dsn.amqp import AmqpDsn, parse
from procwrap.dsn.amqptemplate import from_environment
from procwrap.dsn.problem import DsnError
from procwrap.errors import ProbeError
from procwrap.interfaces import IProbe
from procwrap.probes.amqpsession import LostError, Session, Sessions
from procwrap.probes.context import ProbeContext
from procwrap.probes.dial import Dial
from procwrap.probes.kinds import missing
from procwrap.probes.wording import missed, trouble
from procwrap.spec.probe import AmqpProbe


@implementer(IProbe)
@define(eq=False)
class Amqp:
    """Succeeds when the handshake is done, or when the connection that is kept still answers."""

    _spec: AmqpProbe
    _context: ProbeContext
    _way: Way | None = None
    _session: Session | None = None

    kind = "amqp"
    expected = "an open connection"

    @property
    def timeout(self) -> float:
        """As configured; for everything from the name of the host to the handshake."""
        return self._spec.timeout

    @property
    def target(self) -> str:
        """``amqp host:port/vhost``; just ``amqp`` while it is not known where that is."""
        try:
            return _place(self._dsn())
        except DsnError:
            return self.kind

    @inlineCallbacks
    def check(self) -> Generator[Deferred[Any], Any, None]:
        """Connect, or ask over the connection that is kept."""
        try:
            yield self._round(self._dsn())
        except CancelledError:
            raise
        except Exception as error:
            raise self._explained(error) from None

    def close(self) -> None:
        """Give up the connection."""
        if self._session is not None:
            self._session.leave()

    def _dsn(self) -> AmqpDsn:
        if self._spec.dsn is not None:
            return parse(self._spec.dsn)
        return from_environment(self._context.environment())

    @inlineCallbacks
    def _round(self, dsn: AmqpDsn) -> Generator[Deferred[Any], Any, None]:
        yield self._be_rid_of_the_last()
        try:
            if self._session is None:
                yield self._open(dsn)
            else:
                yield self._session.ask()
        except BaseException:
            if self._session is not None:
                self._session.part()
            raise
        if self._session is not None and not self._spec.reuse_connection:
            self._session.leave()

    @inlineCallbacks
    def _be_rid_of_the_last(self) -> Generator[Deferred[Any], Any, None]:
        """Wait until a connection that is of no use any more is closed: there is never a second one."""
        if self._session is not None and not self._session.usable:
            self._session.part()
            yield self._session.gone()
            self._session = None

    @inlineCallbacks
    def _open(self, dsn: AmqpDsn) -> Generator[Deferred[Any], Any, None]:
        if self._way is None or self._way.dsn != dsn:
            self._way = Way(self._context, dsn)
        sessions = Sessions(dsn, self._context.reactor)
        yield self._way.connect(sessions)
        self._session = sessions.made
        if self._session is not None:
            yield self._session.opened()

    def _explained(self, error: Exception) -> ProbeError:
        if isinstance(error, DsnError | LostError):
            return missed(self, str(error))
        if isinstance(error, ConnectError | OSError):
            return missed(self, trouble(error))
        if isinstance(error, ModuleNotFoundError):
            return missed(self, str(missing("amqps", error)))
        # The text of an error of another kind may quote what it was given.
        return missed(self, f"cannot be asked ({type(error).__name__})")


@define(eq=False)
class Way:
    """The way to one broker: a TCP connection, with TLS for amqps."""

    _context: ProbeContext
    dsn: AmqpDsn
    _securing: Any = None

    @inlineCallbacks
    def connect(self, factory: Any) -> Generator[Deferred[Any], Any, None]:
        """Connect; fails with ConnectError, OSError, or DsnError for a file that TLS needs."""
        reactor, asides = self._context.reactor, self._context.asides
        if self.dsn.secure:
            creator = yield asides.ask(self._creator, self.dsn.host)
            from procwrap.probes.amqptls import wrapped

            factory = wrapped(creator, factory, reactor)
        yield Dial(reactor, asides, self.dsn.host, self.dsn.port).connect(factory)

    def _creator(self, _: str) -> Any:
        """Read the files and import TLS, in a thread: 60 ms at first, for ever with a dead file system."""
        if self._securing is None:
            from procwrap.probes.amqptls import Securing

            self._securing = Securing(self.dsn)
        return self._securing.creator()


def _place(dsn: AmqpDsn) -> str:
    host = f"[{dsn.host}]" if isIPv6Address(dsn.host) else dsn.host
    vhost = "" if dsn.vhost == "/" else quote(dsn.vhost, safe="")
    return f"{'amqps' if dsn.secure else 'amqp'} {host}:{dsn.port}/{vhost}"
