"""A node becomes the plain Python value that YAML or JSON mean by it, for code that is not ours."""

from __future__ import annotations

import re

from procwrap.config import units
from procwrap.config.fields import Place
from procwrap.config.node import Kind
from procwrap.config.problem import WrongValueError

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]

# Digits behind a zero are octal to YAML 1.1, decimal to YAML 1.2 and an error to JSON.
_AMBIGUOUS = re.compile(r"[-+]?0[0-9_]+\Z")
_BASED = re.compile(r"([-+]?)0([box])([0-9a-fA-F_]+)\Z")
_WHOLE = re.compile(r"[-+]?[0-9_]+\Z")
_BASES = {"b": 2, "o": 8, "x": 16}
_QUOTE_IT = "quote it if it is text"


def plain(place: Place) -> Plain:
    """The value at a place; keys of mappings are always text.

    What cannot be taken is reported at its place, and None stands in for it.
    """
    node = place.node
    match node.kind:
        case Kind.MAPPING:
            return {key: plain(value) for key, value in place.values().items()}
        case Kind.LIST:
            return [plain(item) for item in place.items()]
        case Kind.NULL:
            return None
        case Kind.BOOLEAN:
            return units.switch(node.text)
        case Kind.NUMBER:
            try:
                return number(node.text)
            except WrongValueError as error:
                place.report(str(error))
                return None
        case Kind.TEXT:
            return node.text


def number(text: str) -> int | float:
    """What a bare number means: ``0x1F`` and ``1_000`` are whole, ``1e3`` and ``.inf`` are not.

    Raises:
        WrongValueError: readers do not agree on it, or it has too many digits.
    """
    if _AMBIGUOUS.match(text):
        raise WrongValueError(f"expected no zero in front of a number, some read that as octal: {_QUOTE_IT}")
    digits = text.replace("_", "")
    try:
        if based := _BASED.match(text):
            return int(based[1] + based[3].replace("_", ""), _BASES[based[2]])
        if _WHOLE.match(text):
            return int(digits)
        return float(re.sub(r"\.(inf|nan)\Z", r"\1", digits, flags=re.IGNORECASE))
    except ValueError:
        raise WrongValueError(f"expected a number that can be read: {_QUOTE_IT}") from None
