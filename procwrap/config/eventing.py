"""Where events go: what the config, the environment and both together say about that."""

from __future__ import annotations

import re

from attrs import evolve, frozen

from procwrap.config import readers
from procwrap.config.fields import Fields, Place
from procwrap.config.problem import WrongValueError
from procwrap.core.eventlabels import label_name
from procwrap.core.indexname import wrong_with
from procwrap.core.printable import quoted
from procwrap.spec.events import DEFAULT_INDEX, Elasticsearch, EventLabels, UdpEvents
from procwrap.spec.plan import Given, Plan

_EXAMPLE = "https://elastic:9200"
_KEY = re.compile(r"[\x21-\x7e]+\Z")


@frozen
class Servers:
    """Those of the config; the URL of ``elasticsearch`` is empty when the environment has to say it."""

    udp: tuple[str, int] | None = None
    elasticsearch: Elasticsearch | None = None


def events(place: Place) -> Servers:
    """``events``."""
    fields = Fields(place)
    made = Servers(
        fields.take("udp", readers.host_port, None), fields.take("elasticsearch", _elasticsearch, None)
    )
    fields.finish()
    return made


def _elasticsearch(place: Place) -> Elasticsearch:
    fields = Fields(place)
    made = Elasticsearch(
        fields.take("url", lambda value: server_url(readers.text(value)), ""),
        fields.take("index", _index, DEFAULT_INDEX),
        fields.take("apiKey", lambda value: api_key(readers.literal(value)), None),
    )
    fields.finish()
    return made


def _index(place: Place) -> str:
    pattern = readers.text(place)
    problem = wrong_with(pattern)
    if problem is not None:
        raise WrongValueError(f"{problem}, in {quoted(pattern)}")
    return pattern


def server_url(text: str) -> str:
    """Read the URL of a server; a user and password may stand in it."""
    # 3 ms that only those pay who have such a server.
    from procwrap.config.weburl import server_url

    return server_url(text, _EXAMPLE)


def api_key(text: str) -> str:
    """Read an API key, as the server has given it (``encoded``) or as ``id:api_key``.

    The message never shows it.
    """
    if not _KEY.match(text):
        raise WrongValueError("expected an API key: printable characters without white space")
    if ":" not in text:
        return text
    import base64

    return base64.b64encode(text.encode()).decode()


def udp_server(env: Given, plan: Plan) -> UdpEvents | None:
    """Return the server that gets datagrams."""
    address = env.events_udp or plan.events_udp
    return None if address is None else UdpEvents(*address)


def elasticsearch(env: Given, plan: Plan) -> Elasticsearch | None:
    """Return the server that keeps events; an API key goes before the user and password of its URL."""
    said = plan.elasticsearch or Elasticsearch("")
    url, key = env.elasticsearch_url or said.url, env.elasticsearch_api_key or said.api_key
    if not url:
        return None
    if key is not None:
        from procwrap.config.weburl import without_login

        url = without_login(url)
    return evolve(said, url=url, api_key=key)


def labels(env: Given) -> EventLabels:
    """Return what stands on all events; what is not known is an empty label, as with the seed."""
    about = (("pod", env.pod or ""), ("namespace", env.namespace or ""), ("node", env.node or ""))
    extra = tuple((label_name(name), value) for name, value in env.event_labels or ())
    return EventLabels(about + extra, env.event_labels_file, frozenset(env.event_labels_exclude or ()))
