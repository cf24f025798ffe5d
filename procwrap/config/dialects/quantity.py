"""Kubernetes' quantities: ``512Mi``, ``1.5Gi``, ``500m``, ``128974848``, ``129e6``."""

from __future__ import annotations

import re
from fractions import Fraction

from procwrap.config.fields import Place
from procwrap.config.node import Kind
from procwrap.config.problem import WrongValueError
from procwrap.config.readers import shown

_QUANTITY = re.compile(
    r"\+?([0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:([eE][-+]?[0-9]{1,2})|([KMGTPE]i|[numkMGTPE]))?\Z"
)
_FACTORS = {
    **{letter: Fraction(1000) ** power for power, letter in enumerate("kMGTPE", start=1)},
    **{letter + "i": Fraction(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
    "m": Fraction(1, 1000),
    "u": Fraction(1, 1000**2),
    "n": Fraction(1, 1000**3),
}


def quantity(place: Place) -> Fraction:
    """Read a quantity.

    Raises:
        WrongValueError: it is none.
    """
    match = _QUANTITY.match(place.node.text) if place.node.kind in (Kind.TEXT, Kind.NUMBER) else None
    if match is None:
        raise WrongValueError(f"expected a quantity such as 512Mi, 1G or 500m, got {shown(place.node)}")
    number, exponent, suffix = match.groups()
    factor = Fraction(f"1{exponent}") if exponent else _FACTORS.get(suffix, Fraction(1))
    return Fraction(number.rstrip(".") if number != "." else "0") * factor
