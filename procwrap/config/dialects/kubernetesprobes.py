"""The probes and lifecycle hooks of a container."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

from attrs import frozen

from procwrap.config import names, readers, units
from procwrap.config.dialects import nodes
from procwrap.config.fields import Fields, Place
from procwrap.config.node import Kind, Node
from procwrap.config.problem import WrongValueError
from procwrap.core.printable import quoted

LONGEST = 2**31 - 1
"""Kubernetes' numbers are an int32."""
ANY_STATUS = "100-599"
"""To a hook any answer is as good as another."""
FOR_EVER = "24h"
"""A postStart hook has no deadline in Kubernetes."""

_SECONDS = readers.whole_number(0, LONGEST)
_COUNT = readers.whole_number(1, LONGEST)
_HANDLERS = ("httpGet", "tcpSocket", "exec", "grpc")
_HOOKS = ("exec", "httpGet", "sleep", "tcpSocket")


@frozen
class Surface:
    """What the probes and hooks of a container may refer to.

    Attributes:
        ports: its ports by name.
        grace: seconds from the stop signal to SIGKILL.
        expand: puts the values into a text, and raises WrongValueError when that is too much.
    """

    ports: Mapping[str, int]
    grace: int
    expand: Callable[[str], str]


def check(key: str, surface: Surface) -> Callable[[Place], Node | None]:
    """Return the reader of one of the three probes; None is for one that has no handler."""

    def read(place: Place) -> Node | None:
        fields = Fields(place)
        delay = fields.take("initialDelaySeconds", _SECONDS, 0)
        period = fields.take("periodSeconds", readers.whole_number(0, LONGEST), 10) or 10
        timeout = f"{fields.take('timeoutSeconds', _SECONDS, 1) or 1}s"
        failures = fields.take("failureThreshold", _SECONDS, 3) or 3
        successes = fields.take("successThreshold", _SECONDS, 1) or 1
        grace = fields.take("terminationGracePeriodSeconds", _COUNT, surface.grace)
        probes = {
            "http": fields.take("httpGet", lambda value: _http(value, surface, timeout=timeout), None),
            "tcp": fields.take("tcpSocket", lambda value: _tcp(value, surface, timeout), None),
            "exec": fields.take("exec", lambda value: _exec(value, surface, timeout), None),
            "grpc": fields.take("grpc", lambda value: _grpc(value, timeout), None),
        }
        fields.finish()
        _one_of(place, _HANDLERS)
        if key != "readinessProbe" and successes != 1:
            place.value("successThreshold").report("expected 1, as Kubernetes does for this probe")
        if grace != surface.grace:
            place.value("terminationGracePeriodSeconds").report(
                f"cannot be done: a process has one grace period, here {surface.grace} s, whoever stops it"
            )
        if not any(probes.values()):
            return None
        ready = key == "readinessProbe"
        return nodes.mapping(
            place,
            {
                "delay": nodes.text(place, f"{delay}s"),
                "period": nodes.text(place, f"{period}s"),
                "failureThreshold": nodes.number(place, min(failures, 1_000_000)),
                "successThreshold": nodes.number(place, min(successes, 1_000_000)) if ready else None,
                "unhealthyThreshold": nodes.number(place, min(failures, 1_000_000)) if ready else None,
                "restartOnFailure": nodes.boolean(place, value=False) if ready else None,
                **probes,
            },
        )

    return read


def hook(surface: Surface, *, after_start: bool) -> Callable[[Place], Node | None]:
    """Return the reader of ``postStart`` or ``preStop``; None is for one that does nothing."""

    def read(place: Place) -> Node | None:
        fields = Fields(place)
        found = {
            "command": fields.take("exec", lambda value: _command(value, str), None),
            "http": fields.take("httpGet", lambda value: _http(value, surface, statuses=ANY_STATUS), None),
            "sleep": fields.take("sleep", _sleep, None),
        }
        fields.take("tcpSocket", _no_tcp, None)
        fields.finish()
        _one_of(place, _HOOKS)
        if not any(found.values()):
            return None
        if after_start:
            found |= {"deadline": nodes.text(place, FOR_EVER), "when": nodes.text(place, "started")}
        return nodes.mapping(place, found)

    return read


def port(ports: Mapping[str, int]) -> Callable[[Place], int]:
    """Return the reader of a port: a number, or the name of one of the container's ports."""

    def read(place: Place) -> int:
        text = place.node.text
        if place.node.kind is Kind.NUMBER or (text.isascii() and text.isdigit()):
            return units.whole_number(text, 1, 65535)
        name = readers.text(place)
        if name not in ports:
            near = place.nearest(name, ports)
            known = f"did you mean {near}?" if near else f"known are {', '.join(ports) or 'none'}"
            raise WrongValueError(f"the container has no port named {quoted(name)}: {known}")
        return ports[name]

    return read


def _http(place: Place, surface: Surface, timeout: str | None = None, statuses: str | None = None) -> Node:
    fields = Fields(place)
    number = fields.require("port", port(surface.ports), 1)
    scheme = fields.take("scheme", _scheme, "http")
    host = fields.take("host", _host, "localhost")
    path = fields.take("path", readers.literal, "/")
    headers = [pair for pair in fields.take("httpHeaders", readers.list_of(_header), ()) if pair]
    fields.finish()
    # Whatever a URL cannot hold is written in percent, what is written so already stays.
    path = quote(path if path.startswith("/") else f"/{path}", safe="/%?#[]@!$&'()*+,;=:~")
    wanted = {name: nodes.text(value, content) for name, value, content in headers}
    return nodes.mapping(
        place,
        {
            "url": nodes.text(place, f"{scheme}://{host}:{number}{path}"),
            "headers": nodes.mapping(place.value("httpHeaders"), wanted) if wanted else None,
            "statuses": nodes.listing(place, [nodes.text(place, statuses)]) if statuses else None,
            "timeout": nodes.text(place, timeout) if timeout else None,
        },
    )


def _header(place: Place) -> tuple[str, Place, str] | None:
    fields = Fields(place)
    name = fields.require("name", readers.text, "")
    value = fields.take("value", readers.literal, "")
    fields.finish()
    names.check_header(name or "X")
    names.check_header_value(value)
    return (name, place.value("value"), value) if name else None


def _scheme(place: Place) -> str:
    scheme = readers.text(place).lower()
    if scheme not in ("http", "https"):
        raise WrongValueError(f"expected HTTP or HTTPS, got {readers.shown(place.node)}")
    return scheme


def _host(place: Place) -> str:
    host = readers.text(place)
    bare = host.strip("[]")
    if not bare or not all((char.isalnum() and char.isascii()) or char in "-._:%" for char in bare):
        raise WrongValueError(f"expected the name or address of a host, got {quoted(host)}")
    return f"[{bare}]" if ":" in bare else host


def _tcp(place: Place, surface: Surface, timeout: str) -> Node:
    fields = Fields(place)
    number = fields.require("port", port(surface.ports), 1)
    host = fields.take("host", _host, "localhost")
    fields.finish()
    socket = nodes.text(place, f"{host}:{number}")
    return nodes.mapping(place, {"socket": socket, "timeout": nodes.text(place, timeout)})


def _grpc(place: Place, timeout: str) -> Node:
    fields = Fields(place)
    number = fields.require("port", readers.whole_number(1, 65535), 1)
    service = fields.take("service", readers.literal, "")
    fields.finish()
    values = {
        "address": nodes.text(place, f"localhost:{number}"),
        "service": nodes.text(place, service) if service else None,
        "timeout": nodes.text(place, timeout),
    }
    return nodes.mapping(place, values)


def _exec(place: Place, surface: Surface, timeout: str) -> Node:
    command = _command(place, surface.expand)
    return nodes.mapping(place, {"command": command, "timeout": nodes.text(place, timeout)})


def _command(place: Place, expand: Callable[[str], str]) -> Node:
    fields = Fields(place)
    words = fields.require("command", readers.list_of(_word), ())
    fields.finish()
    if "command" in place.node.entries and not place.value("command").node.items:
        place.value("command").report("expected a command and its arguments, got an empty list")
    texts = [nodes.text(word, expand(text)) for word, text in words]
    if not texts:
        texts = [nodes.text(place, "none")]
    return nodes.mapping(place, {"entrypoint": texts[0], "args": nodes.listing(place, texts[1:])})


def _word(place: Place) -> tuple[Place, str]:
    return place, readers.literal(place)


def _sleep(place: Place) -> Node:
    fields = Fields(place)
    seconds = fields.require("seconds", _SECONDS, 0)
    fields.finish()
    return nodes.text(place, f"{seconds}s")


def _no_tcp(place: Place) -> None:
    raise WrongValueError(
        "cannot be done: Kubernetes itself has no such hook any more, use exec, httpGet or sleep"
    )


def _one_of(place: Place, keys: tuple[str, ...]) -> None:
    entries = place.node.entries
    if sum(key in entries and not entries[key].node.absent for key in keys) != 1:
        place.report(f"expected exactly one of {', '.join(keys)}")
