"""AMQP URIs out of a process's environment: a template as for Go's Sprintf, a user and a password."""

from __future__ import annotations

import re
from collections.abc import Mapping

from procwrap.dsn.amqp import AmqpDsn, parse, with_login
from procwrap.dsn.problem import DsnError

TEMPLATE = "AMQP_PROBE_RABBITMQ_DSN_TEMPLATE"
USER = "AMQP_PROBE_RABBITMQ_USER"
PASSWORD = "AMQP_PROBE_RABBITMQ_PASS"

_PERCENT = re.compile(r"%([vs%]|[0-9A-Fa-f]{2})?")
_STAND_IN = "procwrap-stands-in-"
"""What stands in the template for a value while it is parsed, in letters that mean nothing to a URI."""


def from_environment(environment: Mapping[str, str]) -> AmqpDsn:
    """Put together what the three variables say.

    Raises:
        DsnError: one is missing, or the template is none.
    """
    template = environment.get(TEMPLATE)
    if not template:
        raise DsnError(f"neither dsn in the config nor {TEMPLATE} in the process's environment is set")
    given = [name for name in (USER, PASSWORD) if name in environment]
    if not (wanted := _verbs(template)):
        if given:
            raise DsnError(f"{TEMPLATE} has no %v:%v for {' and '.join(given)}")
        return _parsed(_filled_in(template))
    if wanted != 2:
        raise DsnError(f"{TEMPLATE} has %v {_times(wanted)}, expected it twice: user, password")
    if missing := [name for name in (USER, PASSWORD) if name not in given]:
        raise DsnError(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set")
    return _with_values(_parsed(_filled_in(template)), environment[USER], environment[PASSWORD])


def _verbs(template: str) -> int:
    """Count the %v; %s means the same."""
    kinds = [match[1] for match in _PERCENT.finditer(template)]
    if None in kinds:
        raise DsnError(f"{TEMPLATE} has a % that is neither %v nor %%: write %%")
    return sum(kind in ("v", "s") for kind in kinds)


def _filled_in(template: str) -> str:
    """Put a stand-in for each %v, and % for %%; the escapes of URIs stay what they are."""
    count = 0

    def stand_in(match: re.Match[str]) -> str:
        nonlocal count
        if match[1] == "%":
            return "%"
        if match[1] not in ("v", "s"):
            return match[0]
        count += 1
        return f"{_STAND_IN}{count}"

    return _PERCENT.sub(stand_in, template)


def _parsed(text: str) -> AmqpDsn:
    try:
        return parse(text)
    except DsnError as error:
        raise DsnError(f"{TEMPLATE}: {error}") from None


def _with_values(dsn: AmqpDsn, user: str, password: str) -> AmqpDsn:
    first, second = (f"{_STAND_IN}{number}" for number in (1, 2))
    if first not in dsn.user or second not in dsn.password:
        raise DsnError(f"{TEMPLATE}: expected %v:%v before the @, such as amqp://%v:%v@localhost:5672/vhost")
    return with_login(dsn, dsn.user.replace(first, user), dsn.password.replace(second, password))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
