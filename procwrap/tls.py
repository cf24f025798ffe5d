"""Part of the composition root: TLS is paid for only where the plan needs it."""

from __future__ import annotations

import sys

from procwrap.spec.plan import Plan, Settings
from procwrap.spec.probe import Check, HttpProbe


def needs_tls(plan: Plan, settings: Settings) -> bool:
    """Return whether anything that was asked for speaks TLS."""
    if settings.socket is not None and settings.socket.startswith(("ssl:", "tls:")):
        return True
    checks = [
        check
        for process in plan.processes
        for check in (process.readiness, process.liveness, process.startup)
    ]
    return any(_speaks_tls(check) for check in checks if check is not None)


def _speaks_tls(check: Check) -> bool:
    return any(
        isinstance(probe, HttpProbe) and probe.url.lower().startswith("https:") for probe in check.probes
    )


def hide_pyopenssl() -> None:
    """Keep the reactor from importing pyOpenSSL; to be called before anything of Twisted is imported.

    Where it is installed it costs 80 ms before the first child starts, and 12 MB for ever. Hidden, everything
    goes the way that Twisted provides for installations without it.
    """
    if "OpenSSL" not in sys.modules:
        sys.modules["OpenSSL"] = None  # type: ignore[assignment]
