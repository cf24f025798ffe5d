from __future__ import annotations

import pytest

from procwrap.spec.plan import Plan, Settings
from procwrap.spec.probe import Check, HttpProbe, PluginProbe, Probe, TcpProbe
from procwrap.spec.process import ProcessSpec
from procwrap.tls import has_http_probe, needs_tls


@pytest.mark.parametrize(
    ("probe", "tls", "http"),
    [
        (TcpProbe("localhost", 1), False, False),
        (HttpProbe("http://localhost/"), False, True),
        (HttpProbe("HTTPS://localhost/"), True, True),
        (PluginProbe("mine", lambda settings, context: None, None), True, False),
    ],
)
@pytest.mark.parametrize("check", ["readiness", "liveness", "startup"])
def test_what_a_probe_needs(check: str, probe: Probe, tls: bool, http: bool) -> None:
    """TLS and an HTTP client are there for whoever asks for them; what a plugin needs is not known."""
    plan = Plan(processes=(ProcessSpec("app", "run", **{check: Check((probe,))}),))  # type: ignore[arg-type]
    assert (needs_tls(plan, Settings()), has_http_probe(plan)) == (tls, http)
