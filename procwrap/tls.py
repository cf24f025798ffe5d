"""Part of the composition root: what is paid for only where the plan needs it: TLS and an HTTP client."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from procwrap.spec.plan import Plan, Settings
from procwrap.spec.probe import HttpProbe


def needs_tls(plan: Plan, settings: Settings) -> bool:
    """Return whether anything that was asked for speaks TLS."""
    if settings.socket is not None and settings.socket.startswith(("ssl:", "tls:")):
        return True
    return any(probe.url.lower().startswith("https:") for probe in _http_probes(plan))


def has_http_probe(plan: Plan) -> bool:
    """Return whether anything that was asked for needs an HTTP client."""
    return any(True for _ in _http_probes(plan))


def _http_probes(plan: Plan) -> Iterator[HttpProbe]:
    for process in plan.processes:
        for check in (process.readiness, process.liveness, process.startup):
            if check is not None:
                yield from (probe for probe in check.probes if isinstance(probe, HttpProbe))


def hide_pyopenssl() -> None:
    """Keep the reactor from importing pyOpenSSL; to be called before anything of Twisted is imported.

    Where it is installed it costs 80 ms before the first child starts, and 12 MB for ever. Hidden, everything
    goes the way that Twisted provides for installations without it.
    """
    if "OpenSSL" not in sys.modules:
        sys.modules["OpenSSL"] = None  # type: ignore[assignment]
