"""Where log records are pushed: what the config, the environment and both together say about that."""

from __future__ import annotations

import re

from attrs import evolve

from procwrap.config import readers
from procwrap.config.fields import Fields, Place
from procwrap.config.problem import WrongValueError
from procwrap.core.printable import quoted
from procwrap.spec.loki import Loki
from procwrap.spec.plan import Given, Plan

PATH = "/loki/api/v1/push"
_EXAMPLE = "http://loki:3100"
_TENANT = re.compile(r"[A-Za-z0-9!_.*'()|-]{1,150}\Z")
"""What Loki takes for the name of a tenant; of several there is a ``|`` between them."""


def loki(place: Place) -> Loki:
    """``logs.loki``; the URL is empty when the environment has to say it."""
    fields = Fields(place)
    made = Loki(
        fields.take("url", lambda value: push_url(readers.text(value)), ""),
        fields.take("tenant", lambda value: tenant(readers.literal(value)), None),
    )
    fields.finish()
    return made


def push_url(text: str) -> str:
    """Read the URL of a server, with or without the path that records are posted to."""
    # 3 ms that only those pay who have such a server.
    from procwrap.config.weburl import server_url

    return server_url(text, _EXAMPLE).removesuffix(PATH) + PATH


def tenant(text: str) -> str:
    """Read the name of a tenant."""
    if not _TENANT.match(text):
        raise WrongValueError(
            f"expected the name of a tenant: letters, digits and !-_.*'(), got {quoted(text)}"
        )
    return text


def loki_server(env: Given, plan: Plan) -> Loki | None:
    """Return the server that takes log records, with the labels that say where we are."""
    said = plan.loki or Loki("")
    url = env.loki_url or said.url
    if not url:
        return None
    about = (("namespace", env.namespace), ("pod", env.pod), ("node", env.node))
    labels = tuple((name, value) for name, value in about if value)
    return evolve(said, url=url, tenant=env.loki_tenant or said.tenant, labels=labels)
