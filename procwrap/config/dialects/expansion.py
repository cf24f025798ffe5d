"""``$(VAR)`` in commands, arguments and variables, as Kubernetes expands it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from procwrap.config.problem import WrongValueError

LONGEST = 128 * 1024
"""What Linux allows an argument or a variable to have (execve(2), MAX_ARG_STRLEN)."""

_PIECE = re.compile(r"\$(\$|\(([^)]*)\))")
_SERVICE = re.compile(
    r"[A-Z_][A-Z0-9_]*_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_[A-Z]+)?)?)\Z"
)


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace each ``$(NAME)`` by its value, and ``$$`` by ``$``.

    A reference to what has no value stays as it is, so that ``sh -c 'echo $(date)'`` does what it says.

    Raises:
        WrongValueError: it becomes longer than a program can be given.
    """
    grown = 0

    def value(match: re.Match[str]) -> str:
        nonlocal grown
        found = "$" if match[1] == "$" else values.get(match[2], match[0])
        grown += max(0, len(found) - len(match[0]))
        if grown > LONGEST:
            raise WrongValueError(f"with its variables it is longer than {LONGEST // 1024} KiB")
        return found

    return _PIECE.sub(value, text)


def service_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables about services that Kubernetes gives every container; they may be referred to."""
    return {name: value for name, value in environ.items() if _SERVICE.match(name)}
