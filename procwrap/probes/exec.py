"""The ``exec`` probe: run a command in the process's place."""

from __future__ import annotations

from typing import Any

from attrs import define
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from procwrap.core.commandline import shown_text
from procwrap.errors import SpawnError
from procwrap.interfaces import IProbe
from procwrap.probes.context import ProbeContext
from procwrap.probes.secrets import masked, secret_values
from procwrap.probes.wording import missed, one_line, unexpected
from procwrap.spec.probe import ExecProbe

SHOWN = 256
"""Bytes of the command's output that are shown."""


@implementer(IProbe)
@define(eq=False)
class Exec:
    """Succeeds when the command exits with code 0."""

    _spec: ExecProbe
    _context: ProbeContext

    kind = "exec"
    expected = "exit code 0"

    @property
    def timeout(self) -> float:
        """As configured."""
        return self._spec.timeout

    @property
    def target(self) -> str:
        """The command without its arguments, which may hold secrets."""
        return one_line(f"exec {self._spec.entrypoint}")

    def check(self) -> Deferred[None]:
        """Run the command; cancelling kills its process group."""
        spec = self._spec
        running: Deferred[Any] = self._context.runner.run(spec.entrypoint, spec.args, spec.envs)
        return running.addCallbacks(self._ended, self._failed)

    def close(self) -> None:
        """Nothing is kept."""

    def _ended(self, command: Any) -> None:
        if command.end.code == 0:
            return
        said = self._shown(command.output)
        raise missed(self, f"{command.end} ({said})" if said else str(command.end))

    def _failed(self, failure: Failure) -> None:
        if isinstance(failure.value, SpawnError):
            raise missed(self, failure.value.reason) from None
        raise unexpected(self, failure.value) from None

    def _shown(self, output: bytes) -> str:
        environment = {**self._context.environment(), **dict(self._spec.envs)}
        # Masked before it is cut, so that no half of a secret is left at the end.
        text = shown_text(masked(output.decode("utf-8", "replace"), secret_values(environment)))
        return one_line(text.encode()[:SHOWN].decode("utf-8", "ignore"))
