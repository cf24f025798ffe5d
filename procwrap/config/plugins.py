"""Probes of other packages: a key of a check that is none of ours is looked for in an entry point group.

This is the one module beside ``find.py`` that looks at the disk: importlib.metadata reads which packages are
installed, and the class of a plugin is imported, since it alone knows what its settings mean. That happens
only when a check has a key that is not ours, and once for the whole config.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from procwrap.config.fields import Fields, Place, Reader
from procwrap.config.plain import plain
from procwrap.config.probes import TIMEOUT
from procwrap.config.problem import WrongValueError
from procwrap.core.printable import printable
from procwrap.core.secrets import HIDDEN, without_passwords
from procwrap.spec.probe import SECRET_WORDS, PluginProbe

GROUP = "procwrap.probes"
TIMEOUT_KEY = "timeout"
DEFAULT_TIMEOUT = 5.0
"""Seconds."""
LONGEST = 300
"""Characters of what a plugin says about its settings."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}\Z")
_COMPLAINT = re.compile(r"([A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*|\[\d+\])*): (.+)\Z", re.DOTALL)
"""``key: what is wrong``; the key may be a path such as ``tls.ca`` or ``hosts[1]``."""
_STEP = re.compile(r"[^.\[\]]+")
_SECRET = re.compile(SECRET_WORDS, re.IGNORECASE)
_SHORTEST_SECRET = 4


def probes(fields: Fields) -> tuple[PluginProbe, ...]:
    """Read the probes of other packages out of a check, ordered by name.

    Args:
        fields: the check, from which all keys of our own have been taken.
    """
    if not fields.left:
        return ()
    named = sorted((name, points) for name, points in installed().items() if name not in fields.known)
    found = [fields.take(name, reader(points), None, even_null=True) for name, points in named]
    return tuple(probe for probe in found if probe is not None)


def installed() -> Mapping[str, tuple[EntryPoint, ...]]:
    """Every entry point of the group by name; a name that no probe can have is left out."""
    return _installed(tuple(_places()))


def _places() -> Iterator[tuple[str, int]]:
    """Where packages are installed, and when something last was."""
    for place in sys.path:
        try:
            yield place, Path(place or ".").stat().st_mtime_ns
        except OSError:
            yield place, 0


@lru_cache(maxsize=1)
def _installed(_: tuple[tuple[str, int], ...]) -> Mapping[str, tuple[EntryPoint, ...]]:
    # Reading it takes 5 ms with a hundred packages, and a config may have thousands of checks.
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in entry_points(group=GROUP):
        if _NAME.match(point.name):
            found[point.name] = (*found.get(point.name, ()), point)
    return found


def reader(points: tuple[EntryPoint, ...]) -> Reader[PluginProbe | None]:
    """A reader of the settings of a plugin; None when they are wrong, which was reported then."""

    def read(place: Place) -> PluginProbe | None:
        reported = len(place.problems)
        fields = Fields(place, null_is_empty=True)
        factory = _load(points)
        default = _default_timeout(points[0], factory)
        timeout = fields.take(TIMEOUT_KEY, TIMEOUT, default)
        given = {key: plain(place.value(key)) for key in fields.left}
        secrets = tuple(_secrets(given))
        if len(place.problems) > reported:
            return None
        try:
            settings = factory.configure(given)
        except ValueError as error:
            _complain(place, _hidden(str(error) or "cannot be used", secrets))
            return None
        except (Exception, SystemExit) as error:
            raise _broken(points[0], "cannot read this", error, secrets) from None
        return PluginProbe(points[0].name, factory, settings, timeout, secrets)

    return read


def _load(points: tuple[EntryPoint, ...]) -> Any:
    if len(points) > 1:
        packages = " and ".join(sorted(map(_package, points)))
        raise WrongValueError(f"{packages} both bring a probe of this name: uninstall one of them")
    [point] = points
    try:
        factory = point.load()
    except (Exception, SystemExit) as error:
        raise _broken(point, "cannot be imported", error) from None
    if not callable(factory) or not callable(getattr(factory, "configure", None)):
        raise WrongValueError(f"the probe of {_package(point)} is no class with configure(): tell its author")
    return factory


def _default_timeout(point: EntryPoint, factory: Any) -> float:
    seconds = getattr(factory, "default_timeout", DEFAULT_TIMEOUT)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < float("inf"):
        raise WrongValueError(
            f"the probe of {_package(point)} has a default_timeout that is no number of seconds:"
            " tell its author"
        )
    return float(seconds)


def _complain(place: Place, message: str) -> None:
    """Report what a plugin says, at the key it names if there is one."""
    complaint = _COMPLAINT.match(message)
    if complaint is None:
        place.report(message)
        return
    path, there = place.path, place
    for step in _STEP.findall(complaint[1]):
        there = _below(there, step)
    at = complaint[1]
    Place(there.node, f"{path}.{at}", place.problems).report(complaint[2])


def _below(place: Place, step: str) -> Place:
    """The value of a key or an index; the place itself when there is none."""
    items = place.items()
    if step.isdigit() and int(step) < len(items):
        return items[int(step)]
    return place.value(step)


def _broken(
    point: EntryPoint, what: str, error: BaseException, secrets: tuple[str, ...] = ()
) -> WrongValueError:
    said = _hidden(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__, secrets)
    return WrongValueError(f"the probe of {_package(point)} {what}: {said}")


def _package(point: EntryPoint) -> str:
    return "an unknown package" if point.dist is None else f"{point.dist.name} {point.dist.version}"


def _secrets(given: object, *, secret: bool = False) -> Iterator[str]:
    """Every text under a key whose name looks as if it held a secret."""
    if isinstance(given, dict):
        for key, value in given.items():
            yield from _secrets(value, secret=secret or _SECRET.search(key) is not None)
    elif isinstance(given, list):
        for value in given:
            yield from _secrets(value, secret=secret)
    elif secret and given not in (None, True, False) and len(str(given)) >= _SHORTEST_SECRET:
        yield str(given)


def _hidden(text: str, secrets: tuple[str, ...]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    line = printable(" ".join(without_passwords(text).split()))
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
