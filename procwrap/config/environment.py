"""The environment variables that stand for options, and those of the seed's own names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from procwrap.config import readers, units
from procwrap.config.options import BY_NAME, OPTIONS
from procwrap.config.problem import WrongValueError, quoted
from procwrap.errors import UsageError
from procwrap.spec.logs import LogFormat
from procwrap.spec.plan import Given

CONFIG = "CONFIG"
CONFIG_FILE = BY_NAME["config"].variable


def parse(environ: Mapping[str, str]) -> Given:
    """Read what the environment says; a variable that is empty says nothing.

    Raises:
        UsageError: a variable has a value that is none; the message names both.
    """
    found: dict[str, object] = {}
    for option in OPTIONS:
        if option.from_environment:
            _set(found, option.target, environ, option.variable, option.value)
    _set(found, "socket", environ, "HEALTH_SOCKET", units.listen_address)
    _set(found, "log_format", environ, "LOG_FORMAT", _log_format)
    if CONFIG in environ:
        found["config_text"] = environ[CONFIG]
    return Given(**found)  # type: ignore[arg-type]


def _set(
    found: dict[str, object],
    target: str,
    environ: Mapping[str, str],
    variable: str,
    read: Callable[[str], object],
) -> None:
    text = environ.get(variable)
    if not text:
        return
    try:
        found[target] = read(text)
    except WrongValueError as error:
        raise UsageError(f"{variable}: {error}") from None


def _log_format(text: str) -> LogFormat:
    chosen = readers.find_choice(readers.LOG_FORMATS, text)
    if chosen is None:
        raise WrongValueError(f"expected one of {', '.join(readers.LOG_FORMATS)}, got {quoted(text)}")
    return chosen
