"""The probes that are told by a connection string where their server is: ``sql`` and ``amqp``."""

from __future__ import annotations

from collections.abc import Callable

from procwrap.config import readers
from procwrap.config.fields import Fields, Place, Reader
from procwrap.config.probes import TIMEOUT
from procwrap.config.problem import WrongValueError
from procwrap.dsn.problem import DsnError
from procwrap.spec import probe as spec


def sql(place: Place) -> spec.SqlProbe:
    """``sql``, which may be left empty."""
    from procwrap.dsn.sql import parse

    fields = Fields(place, null_is_empty=True)
    made = spec.SqlProbe(
        queries=fields.take("queries", readers.list_of(readers.text), ()),
        contains=fields.take("contains", readers.list_of(readers.literal), ()),
        dsn=fields.take("dsn", dsn(parse), None),
        timeout=fields.take("timeout", TIMEOUT, 5.0),
    )
    fields.finish()
    if made.contains and not made.queries:
        place.value("contains").report("expected queries too, in whose rows it is looked for")
    return made


def amqp(place: Place) -> spec.AmqpProbe:
    """``amqp``, which may be left empty."""
    from procwrap.dsn.amqp import parse

    fields = Fields(place, null_is_empty=True)
    made = spec.AmqpProbe(
        reuse_connection=fields.take("reuseConn", readers.boolean, default=False),
        dsn=fields.take("dsn", dsn(parse), None),
        timeout=fields.take("timeout", TIMEOUT, 5.0),
    )
    fields.finish()
    return made


def dsn(parse: Callable[[str], object]) -> Reader[str]:
    """A connection string that can be parsed; its problem is told without quoting it."""

    def read(place: Place) -> str:
        text = readers.literal(place)
        try:
            parse(text)
        except DsnError as error:
            raise WrongValueError(str(error)) from None
        return text

    return read
