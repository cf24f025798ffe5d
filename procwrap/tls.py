"""Part of the composition root: what is paid for only where the plan needs it: TLS and an HTTP client."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from procwrap.spec.plan import Plan, Settings
from procwrap.spec.probe import HttpProbe, PluginProbe, Probe


def needs_tls(plan: Plan, settings: Settings) -> bool:
    """Return whether anything that was asked for speaks TLS.

    An amqp probe may learn only from its process's environment that it does, so it has a way of its own to
    have TLS later (probes/amqptls.py).
    """
    if settings.socket is not None and settings.socket.startswith(("ssl:", "tls:")):
        return True
    if settings.socket is not None and settings.control.tls is not None:
        return True
    if settings.pod is not None:
        return True
    if any(isinstance(probe, PluginProbe) for probe in _probes(plan)):
        # Nobody but its author knows.
        return True
    urls = [probe.url for probe in _http_probes(plan)]
    urls += [process.prom_target.url for process in plan.processes if process.prom_target is not None]
    urls += [server.url for server in (settings.loki, settings.elasticsearch) if server is not None]
    urls += _asked_at(settings)
    if any(process.lock is not None for process in plan.processes):
        urls.append(settings.shared_lock_url)
    return any(url.lower().startswith("https:") for url in urls)


def _asked_at(settings: Settings) -> Iterator[str]:
    """Yield the URLs that are asked about the machine, Envoy and sidecars."""
    if settings.preemption is not None:
        yield settings.preemption.url
    envoy = settings.envoy
    yield from (url for url in (envoy.drain, envoy.wait, envoy.quit) if url is not None)
    yield from (request.url for request in settings.quitting.requests)


def has_http_probe(plan: Plan) -> bool:
    """Return whether anything that was asked for needs an HTTP client."""
    return any(True for _ in _http_probes(plan))


def _http_probes(plan: Plan) -> Iterator[HttpProbe]:
    yield from (probe for probe in _probes(plan) if isinstance(probe, HttpProbe))
    for process in plan.processes:
        for hook in (process.post_start, process.pre_stop):
            if hook is not None and hook.http is not None:
                yield hook.http


def _probes(plan: Plan) -> Iterator[Probe]:
    for process in plan.processes:
        for check in (process.readiness, process.liveness, process.startup):
            if check is not None:
                yield from check.probes


def hide_pyopenssl() -> None:
    """Keep the reactor from importing pyOpenSSL; to be called before anything of Twisted is imported.

    Where it is installed it costs 80 ms before the first child starts, and 12 MB for ever. Hidden, everything
    goes the way that Twisted provides for installations without it.
    """
    if "OpenSSL" not in sys.modules:
        sys.modules["OpenSSL"] = None  # type: ignore[assignment]
