from __future__ import annotations

from typing import Any

import pytest

from procwrap.spec.control import Control, ServerTls
from procwrap.spec.envoy import Envoy
from procwrap.spec.hook import PostStart, PreStop
from procwrap.spec.plan import Plan, Settings
from procwrap.spec.preemption import Cloud, Preemption
from procwrap.spec.probe import Check, HttpProbe, PluginProbe, Probe, TcpProbe
from procwrap.spec.process import ProcessSpec
from procwrap.spec.quitting import QuitRequest, Quitting
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


@pytest.mark.parametrize(
    "asked",
    [
        {"preemption": Preemption(Cloud.AWS, "https://x")},
        {"envoy": Envoy(drain="https://x")},
        {"envoy": Envoy(wait="https://x", quit="http://x")},
        {"envoy": Envoy(quit="HTTPS://x")},
        {"quitting": Quitting((QuitRequest("GET", "http://x"), QuitRequest("POST", "https://x")))},
    ],
)
def test_what_stands_beside_us(asked: dict[str, Any]) -> None:
    """Each URL that is asked there may want TLS."""
    assert needs_tls(Plan(processes=()), Settings(**asked))


def test_what_we_serve() -> None:
    """The files of ``api.tls`` count where HTTP is served on a port."""
    control = Control(tls=ServerTls("/k", "/c"))
    assert needs_tls(Plan(processes=()), Settings(control=control))
    assert not needs_tls(Plan(processes=()), Settings(socket=None, control=control))


def test_hooks_need_it_too() -> None:
    """A request of a hook, whichever it is, brings an HTTP client, and TLS if it is asked for."""
    probe = HttpProbe("https://x/")
    for hook in ({"post_start": PostStart(http=probe)}, {"pre_stop": PreStop(http=probe)}):
        plan = Plan(processes=(ProcessSpec("app", "run", **hook),))  # type: ignore[arg-type]
        assert (needs_tls(plan, Settings()), has_http_probe(plan)) == (True, True)
