"""What a probe looks at: one reader a type."""

from __future__ import annotations

import re
from urllib.parse import SplitResult

from procwrap.config import names, readers
from procwrap.config.fields import Fields, Place
from procwrap.config.problem import WrongValueError
from procwrap.config.weburl import split_url, with_host
from procwrap.core.weblogin import basic_login
from procwrap.spec import probe as spec

SHORTEST_TIMEOUT = 0.001
HIGHEST_DESCRIPTOR = 1023
"""What any process may have open unless its limits were raised (RLIMIT_NOFILE, getrlimit(2))."""

TIMEOUT = readers.duration(SHORTEST_TIMEOUT)
_STATUSES = re.compile(r"([1-5][0-9]{2})(?:\s*-\s*([1-5][0-9]{2}))?\Z")
_EXAMPLE = "http://localhost:8080/ready"


def http(place: Place) -> spec.HttpProbe:
    """``http``: a user and password in the URL become a header, as Go's client does it, and leave the URL."""
    fields = Fields(place)
    url, login = fields.require("url", url_and_login, ("", ()))
    headers = fields.take("headers", readers.pairs(names.check_header, names.check_header_value), ())
    given = {name.lower() for name, _ in headers}
    made = spec.HttpProbe(
        url=url,
        headers=headers if "authorization" in given else headers + login,
        method=fields.take("method", _method, "GET"),
        statuses=fields.take("statuses", _statuses, ((200, 399),)),
        timeout=fields.take("timeout", TIMEOUT, 2.0),
    )
    fields.finish()
    return made


def tcp(place: Place) -> spec.TcpProbe:
    """``tcp``."""
    fields = Fields(place)
    host, port = fields.require("socket", readers.host_port, ("", 0))
    made = spec.TcpProbe(host, port, timeout=fields.take("timeout", TIMEOUT, 2.0))
    fields.finish()
    return made


def execute(place: Place) -> spec.ExecProbe:
    """``exec``."""
    fields = Fields(place)
    entrypoint, args, envs = fields.require("command", command, ("", (), ()))
    made = spec.ExecProbe(entrypoint, args, envs, timeout=fields.take("timeout", TIMEOUT, 30.0))
    fields.finish()
    return made


def file(place: Place) -> spec.FileProbe:
    """``file``."""
    fields = Fields(place)
    made = spec.FileProbe(fields.require("path", readers.text, ""))
    fields.finish()
    return made


def env(place: Place) -> spec.EnvProbe:
    """``env``."""
    fields = Fields(place)
    made = spec.EnvProbe(
        name=fields.require("name", names.env_name, ""), value=fields.require("value", readers.literal, "")
    )
    fields.finish()
    return made


def floating_pid(place: Place) -> spec.FloatingPidProbe:
    """``floatingPid``, which may be left empty."""
    fields = Fields(place, null_is_empty=True)
    made = spec.FloatingPidProbe(
        period=fields.take("period", readers.duration(SHORTEST_TIMEOUT), 10.0),
        threshold=fields.take("threshold", readers.whole_number(0, 1_000), 1),
    )
    fields.finish()
    return made


def heart_beat(place: Place) -> spec.HeartBeatProbe:
    """``heartBeat``."""
    fields = Fields(place)
    made = spec.HeartBeatProbe(fields.require("period", readers.duration(SHORTEST_TIMEOUT), 0.0))
    fields.finish()
    return made


def grpc(place: Place) -> spec.GrpcProbe:
    """``grpc``."""
    fields = Fields(place)
    host, port = fields.require("address", readers.host_port, ("", 0))
    made = spec.GrpcProbe(
        host,
        port,
        service=fields.take("service", readers.literal, ""),
        timeout=fields.take("timeout", TIMEOUT, 2.0),
    )
    fields.finish()
    return made


def notify(place: Place) -> spec.NotifyProbe:
    """``notify``, which may be left empty."""
    fields = Fields(place, null_is_empty=True)
    made = spec.NotifyProbe(
        watchdog=fields.take("watchdog", readers.duration(SHORTEST_TIMEOUT), None),
        fd=fields.take("fd", readers.whole_number(3, HIGHEST_DESCRIPTOR), None),
    )
    fields.finish()
    if made.watchdog is not None and made.fd is not None:
        place.value("fd").report("expected no watchdog with it: the descriptor can only say that it is ready")
    return made


def command(place: Place) -> tuple[str, tuple[str, ...], spec.Pairs]:
    """``command``: the entrypoint, its arguments, and what is added to its environment."""
    fields = Fields(place)
    entrypoint = fields.require("entrypoint", readers.text, "")
    args = fields.take("args", readers.list_of(readers.literal), ())
    envs = fields.take("envs", readers.pairs(names.check_env), ())
    fields.finish()
    return entrypoint, args, envs


def _method(place: Place) -> str:
    method = readers.text(place).upper()
    if not re.fullmatch("[A-Z]{1,20}", method):
        raise WrongValueError(f"expected a method such as GET or HEAD, got {readers.shown(place.node)}")
    return method


def _statuses(place: Place) -> tuple[tuple[int, int], ...]:
    found = readers.list_of(_status_range)(place)
    if not place.node.items:
        raise WrongValueError('expected a list of codes or ranges such as [204, "300-399"], got an empty one')
    return found


def _status_range(place: Place) -> tuple[int, int]:
    match = _STATUSES.match(place.node.text)
    if match is None or int(match[2] or match[1]) < int(match[1]):
        raise WrongValueError(
            f'expected a code or range such as 204 or "200-399", got {readers.shown(place.node)}'
        )
    return int(match[1]), int(match[2] or match[1])


def url_and_login(place: Place) -> tuple[str, spec.Pairs]:
    """The URL without a login, and the header that carries the login. Messages never show the URL's value."""
    parts = split_url(readers.text(place), _EXAMPLE)
    bare = with_host(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
    return bare.geturl(), _login(parts)


def _login(parts: SplitResult) -> spec.Pairs:
    login = basic_login(parts)
    return () if login is None else (("Authorization", login),)
