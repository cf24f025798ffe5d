"""What may be the name of a process, a variable, a label or a header."""

from __future__ import annotations

import re

from procwrap.config import readers
from procwrap.config.fields import Place
from procwrap.config.problem import WrongValueError
from procwrap.core.printable import quoted

LONGEST = 100
OWN_NAME = "procwrap"
"""The name on procwrap's own log records, which no child may forge."""

_PROCESS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\Z")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*\Z")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
"""A token of RFC 9110, 5.6.2."""

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OWN_FIELDS = frozenset({"time", "level", "msg", "name", "out", "pid", "partial", "hook"})


def process_name(place: Place) -> str:
    """A name that fits into a log record, a URL and a file's name."""
    name = readers.text(place)
    if not _PROCESS.match(name) or len(name) > LONGEST:
        raise WrongValueError(f"expected letters, digits and . _ - (at most {LONGEST}), got {quoted(name)}")
    if name == OWN_NAME:
        raise WrongValueError(f"{OWN_NAME} is the name of procwrap's own log records: choose another")
    return name


def env_name(place: Place) -> str:
    """The name of an environment variable."""
    name = readers.text(place)
    check_env(name)
    return name


def check_env(name: str) -> None:
    """Refuse what cannot be the name of an environment variable (environ(7))."""
    if not name or "=" in name or not name.isprintable():
        raise WrongValueError("expected the name of a variable: not empty and without =")


def check_label(name: str) -> None:
    """Refuse a label that does not fit into logfmt, or would overwrite one of procwrap's own fields."""
    if not _LABEL.match(name) or len(name) > LONGEST:
        raise WrongValueError(
            f"expected letters, digits and _ . / - (at most {LONGEST}) for the name of a label"
        )
    if name in _OWN_FIELDS:
        raise WrongValueError(f"{name} is a field of every log record: choose another")


def check_header(name: str) -> None:
    """Refuse what cannot be the name of an HTTP header."""
    if not _HEADER.match(name):
        raise WrongValueError("expected the name of a header, such as X-Probe")


def check_header_value(value: str) -> None:
    """Refuse what would end the header or begin another one (RFC 9110, 5.5)."""
    if _CONTROL.search(value):
        raise WrongValueError("the value of a header is one line without control characters")
