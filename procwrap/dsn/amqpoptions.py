"""The parameters of AMQP URIs (https://www.rabbitmq.com/docs/uri-query-parameters)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from attrs import field, frozen

from procwrap.dsn.problem import DsnError

Value = TypeVar("Value")
Values = Mapping[str, list[str]]

_NAMEABLE = re.compile(r"[a-z][a-z0-9_.-]{0,31}", re.IGNORECASE | re.ASCII)
_FOR_TLS = (
    "cacertfile",
    "certfile",
    "keyfile",
    "password",
    "verify",
    "server_name_indication",
    "fail_if_no_peer_cert",
    "depth",
)
_FOR_ALL = ("auth_mechanism", "heartbeat", "connection_timeout", "channel_max", "frame_max")
_SMALLEST_FRAME, _LARGEST_FRAME = 4096, 131072
"""AMQP 0-9-1, 2.3.5, and what RabbitMQ proposes, which pika takes for the most."""


@frozen
class Options:
    """How a connection is made.

    Attributes:
        mechanism: the SASL mechanism, ``PLAIN`` or ``EXTERNAL`` (by the certificate of the client).
        heartbeat: seconds; 0 for none; None for what the broker proposes.
        channel_max: channels at most; 0 for what the broker proposes.
        frame_max: bytes of a frame at most.
        verify: whether the broker's certificate has to be signed by an authority we trust, for its name.
        ca_file: the authorities in PEM; None for the system's.
        certificate_file: our certificate and those that signed it, in PEM; None for none.
        key_file: its key in PEM; None when it is in the same file.
        key_password: what the key is encrypted with, or None.
        server_name: the name that the certificate has to be for, instead of that of the host.
    """

    mechanism: str = "PLAIN"
    heartbeat: int | None = None
    channel_max: int = 0
    frame_max: int = _LARGEST_FRAME
    verify: bool = True
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    key_password: str | None = field(default=None, repr=False)
    server_name: str | None = None


DEFAULTS = Options()


def read(values: Values, *, secure: bool) -> Options:
    """Read the parameters of a URI.

    Args:
        values: each name with all its values.
        secure: whether the URI asks for TLS.

    Raises:
        DsnError: one of them is unknown or has a value that cannot be.
    """
    _check_names(values, secure=secure)
    made = Options(
        mechanism=_mechanism(values.get("auth_mechanism", ["plain"])),
        heartbeat=_one(values, "heartbeat", _number(0, 65535)),
        channel_max=_one(values, "channel_max", _number(0, 65535)) or 0,
        frame_max=_frame_max(_one(values, "frame_max", _number(0, 2**32 - 1))),
        verify=_one(values, "verify", _choice(verify_peer=True, verify_none=False)) is not False,
        ca_file=_one(values, "cacertfile", _path),
        certificate_file=_one(values, "certfile", _path),
        key_file=_one(values, "keyfile", _path),
        key_password=_one(values, "password", _anything),
        server_name=_one(values, "server_name_indication", _name),
    )
    # Checked, and without effect: the timeout of the probe is for all of it together, a client's chain has
    # no depth that anybody sets, and what a server does without a certificate is no matter of a client.
    for name, meaningless in (("connection_timeout", _number(0, 2**32 - 1)), ("depth", _number(0, 255))):
        _one(values, name, meaningless)
    _one(values, "fail_if_no_peer_cert", _choice(true=True, false=False))
    if made.certificate_file is None and (made.key_file or made.mechanism == "EXTERNAL"):
        raise DsnError("expected certfile too: keyfile and auth_mechanism=external are of no use without it")
    return made


def _check_names(values: Values, *, secure: bool) -> None:
    for name in values:
        # Where a password is not encoded, this may be a part of it.
        shown = name if _NAMEABLE.fullmatch(name) else "of some other kind"
        if name in _FOR_TLS and not secure:
            raise DsnError(f"the parameter {name} is for amqps:// only")
        if name not in _FOR_TLS and name not in _FOR_ALL:
            known = ", ".join((*_FOR_ALL, *(_FOR_TLS if secure else ())))
            raise DsnError(f"unknown parameter {shown}: expected one of {known}")


def _one(values: Values, name: str, reader: Callable[[str], Value]) -> Value | None:
    given = values.get(name)
    if given is None:
        return None
    if len(given) > 1:
        raise DsnError(f"expected the parameter {name} only once")
    try:
        return reader(given[0])
    except _WrongValueError as error:
        raise DsnError(f"the parameter {name}: expected {error}") from None


class _WrongValueError(Exception):
    """Says what was expected instead."""


def _number(least: int, most: int) -> Callable[[str], int]:
    def read_number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= most):
            raise _WrongValueError(f"a whole number from {least} to {most}")
        return int(text)

    return read_number


def _frame_max(asked: int | None) -> int:
    """Keep to what pika can do: it has no frames without a limit, nor larger ones than RabbitMQ's own."""
    if not asked:
        return _LARGEST_FRAME
    if asked < _SMALLEST_FRAME:
        raise DsnError(f"the parameter frame_max: expected 0 or at least {_SMALLEST_FRAME}")
    return min(asked, _LARGEST_FRAME)


def _mechanism(asked: list[str]) -> str:
    """Return the first that is spoken; it may be given several times, as a list of what to consider."""
    for mechanism in asked:
        if mechanism.upper() in ("PLAIN", "EXTERNAL"):
            return mechanism.upper()
    raise DsnError("the parameter auth_mechanism: expected plain or external")


def _choice(**choices: bool) -> Callable[[str], bool]:
    def choose(text: str) -> bool:
        if text not in choices:
            raise _WrongValueError(" or ".join(choices))
        return choices[text]

    return choose


def _path(text: str) -> str:
    if not text or not text.isprintable():
        raise _WrongValueError("the path of a file")
    return text


def _name(text: str) -> str:
    if text == "disable" or not re.fullmatch(r"[^\s/@]{1,253}", text):
        raise _WrongValueError("the host name in the broker's certificate; verify=verify_none checks none")
    return text


def _anything(text: str) -> str:
    return text
