"""Durations, sizes, signals, users and addresses: short texts become values.

Each function takes the text as somebody wrote it and raises WrongValueError, whose message says what was
expected and what was found instead.
"""

from __future__ import annotations

import re
import signal

from procwrap.config.problem import WrongValueError
from procwrap.core.printable import quoted

# Both spellings of µ: the micro sign and the Greek letter.
_PART = re.compile("(\\d+(?:\\.\\d*)?|\\.\\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)", re.ASCII)
_DURATION = re.compile(rf"[-+]?(?:{_PART.pattern})+\Z", re.ASCII)
_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "\u00b5s": 1e-6,
    "\u03bcs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
LONGEST = (2**63 - 1) / 1e9
"""Go's longest duration, 292 years; more than that is a slip of the finger."""

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\Z", re.ASCII)
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9_]{0,30}|0[xX][0-9a-fA-F]{1,16}|0o[0-7]{1,22}|0b[01]{1,64})\Z")
_SIZE = re.compile(r"([0-9]{1,18})([kKMGT]i?)?\Z")
LARGEST = 2**63 - 1
_FACTORS: dict[str, int] = {"": 1} | {
    letter + suffix: base**power
    for suffix, base in (("", 1000), ("i", 1024))
    for power, letter in enumerate("KMGT", start=1)
}
_REALTIME = re.compile(r"(RTMIN|RTMAX)([+-][0-9]{1,2})\Z")
_OCTAL = re.compile(r"(?:0o?)?[0-7]{1,4}\Z")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}\$?\Z")
_HIGHEST_ID = 2**32 - 2
"""The one above, -1 to setuid(2), means "leave it as it is"."""
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\s:\[\]/]*):([0-9]{1,5})\Z", re.ASCII)

_BARE_IPV6 = re.compile(r"[0-9A-Fa-f]*:[0-9A-Fa-f:.%]*:[0-9]*\Z")


def duration(text: str) -> float:
    """Seconds of a duration in Go's spelling: ``500ms``, ``1.5h``, ``2m0s``, or a lone ``0``."""
    expected = f"expected a duration such as 10s or 1m30s, got {quoted(text)}"
    if text in {"0", "+0", "-0"}:
        return 0.0
    if _NUMBER.match(text):
        raise WrongValueError(
            f"expected a duration such as 10s or 1m30s, got {text[:60]}: a bare number has no unit"
        )
    if len(text) > 100 or not _DURATION.match(text):
        raise WrongValueError(expected)
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    if text.startswith("-") and seconds:
        raise WrongValueError(f"{expected}: it is less than nothing")
    if seconds > LONGEST:
        raise WrongValueError(f"{expected}: it is longer than 292 years")
    return seconds


def size(text: str) -> int:
    """Bytes of a size in Kubernetes' spelling: ``10Mi`` (1024²), ``10M`` (1000²) or ``4096``."""
    match = _SIZE.match(text)
    if match is None:
        raise WrongValueError(f"expected a size such as 10Mi, 256Ki or 4096 (bytes), got {quoted(text)}")
    factor = match[2] or ""
    found: int = int(match[1]) * _FACTORS[factor[:1].upper() + factor[1:]]
    if found > LARGEST:
        raise WrongValueError(f"expected at most {LARGEST} bytes, got {_shown(text)}")
    return found


def whole_number(text: str, lowest: int, highest: int) -> int:
    """A whole number within bounds; ``1e+06``, as Helm writes large ones, is one too."""
    number = _whole(text)
    if number is None or not lowest <= number <= highest:
        raise WrongValueError(f"expected a whole number from {lowest} to {highest}, got {_shown(text)}")
    return number


def signal_number(text: str) -> int:
    """The number of a signal: ``SIGTERM``, ``TERM``, ``15``, ``SIGRTMIN+3``."""
    name = text.upper().removeprefix("SIG")
    number: int | None = None
    if name.isascii() and name.isdigit() and len(name) <= 3:
        number = int(name)
    elif realtime := _REALTIME.match(name):
        number = int(signal.Signals["SIG" + realtime[1]]) + int(realtime[2])
    elif "SIG" + name in signal.Signals.__members__:
        number = int(signal.Signals["SIG" + name])
    if number is None or number not in signal.valid_signals():
        raise WrongValueError(f"expected a signal such as SIGTERM or 15, got {_shown(text)}")
    return number


def umask(text: str) -> int:
    """The bits of a file mode creation mask, written in octal with a leading zero: ``027``."""
    if not _OCTAL.match(text) or not text.startswith("0") or int(text.removeprefix("0o"), 8) > 0o777:
        raise WrongValueError(f'expected octal digits such as "027", got {_shown(text)}')
    return int(text.removeprefix("0o"), 8)


def account(text: str) -> int | str:
    """A uid or gid as a number, or the name of a user or group."""
    if _WHOLE.match(text) or _NUMBER.match(text):
        return whole_number(text, 0, _HIGHEST_ID)
    if not _USER.match(text):
        raise WrongValueError(f"expected a number or a name, got {_shown(text)}")
    return text


def host_port(text: str) -> tuple[str, int]:
    """Host and port of ``host:port``; ``:port`` is this host, ``[::1]:80`` an IPv6 address."""
    match = _HOST_PORT.match(text)
    if match is None or not 1 <= int(match[2]) <= 65535:
        hint = "; an IPv6 address stands in brackets" if _BARE_IPV6.match(text) else ""
        raise WrongValueError(f'expected "host:port", got {_shown(text)}{hint}')
    return match[1].strip("[]") or "localhost", int(match[2])


def listen_address(text: str) -> str:
    """Where to listen: ``:8111``, ``host:port`` or an endpoint string of Twisted."""
    match = _HOST_PORT.match(text)
    if ":" not in text or (match is not None and int(match[2]) > 65535):
        expected = 'expected ":port", "host:port" or an endpoint such as "unix:/run/procwrap.sock"'
        raise WrongValueError(f"{expected}, got {_shown(text)}")
    return text


def switch(text: str) -> bool:
    """A yes or no as the command line and the environment know it."""
    word = text.lower()
    if word in {"1", "true", "yes", "on", "enabled"}:
        return True
    if word in {"0", "false", "no", "off", "disabled"}:
        return False
    raise WrongValueError(f"expected on or off (or true, false, 1, 0, yes, no), got {quoted(text)}")


def _whole(text: str) -> int | None:
    if _WHOLE.match(text):
        return int(text.replace("_", ""), 0)
    if _NUMBER.match(text) and not text.lstrip("+-").startswith("0") and len(text) < 40:
        number = float(text)
        return int(number) if number.is_integer() else None
    return None


def _shown(text: str) -> str:
    return text[:60] if _NUMBER.match(text) else quoted(text)
