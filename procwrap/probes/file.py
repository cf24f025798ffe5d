"""The ``file`` probe: look whether a path exists."""

from __future__ import annotations

import os

from attrs import define
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from procwrap.interfaces import IProbe
from procwrap.probes.context import ProbeContext
from procwrap.probes.wording import missed, one_line, trouble, unexpected
from procwrap.spec.probe import FileProbe


@implementer(IProbe)
@define(eq=False)
class File:
    """Succeeds when the path exists, as procwrap sees it; a symbolic link counts as what it points to."""

    _spec: FileProbe
    _context: ProbeContext

    kind = "file"
    expected = "to exist"
    # The path may be on a network file system whose server is gone.
    timeout = 2.0

    @property
    def target(self) -> str:
        """The path."""
        return one_line(f"file {self._spec.path}")

    def check(self) -> Deferred[None]:
        """Look at the path, in a thread."""
        return self._context.asides.ask(os.stat, self._spec.path).addCallbacks(lambda _: None, self._failed)

    def close(self) -> None:
        """Nothing is kept."""

    def _failed(self, failure: Failure) -> None:
        if isinstance(failure.value, OSError):
            raise missed(self, trouble(failure.value)) from None
        raise unexpected(self, failure.value) from None
