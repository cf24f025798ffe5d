"""Histograms are read many lines at one go; nobody can tell that from the result."""

from __future__ import annotations

import re
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from procwrap.metrics import reader
from procwrap.metrics.grammar import GROUPS
from procwrap.metrics.merge import Form, Target, merge
from procwrap.metrics.problem import Problem
from procwrap.metrics.syntax import Syntax

LINE_BY_LINE = mock.patch.object(reader, "GROUPS", re.compile(rb"(?!)"))

_LABELS = some.sampled_from(
    [
        *('a="1"', 'a="2"', 'a="}"', 'a="x_sum 1"', 'a="1",b="\\n"', 'b="1",a="2"', 'process_name="p"'),
        *('a="1",a="2"', 'le="5"', 'x_le="5"', ""),
    ]
)
_SUFFIXES = some.sampled_from(["_bucket", "_bucket", "_bucket", "_sum", "_count", "_created", "", "_total"])
_VALUES = some.sampled_from(["1", "2.5", "NaN", "-1", "+Inf", "0x1", "1 1395066363000", "1 # {} 1"])


@some.composite
def _samples(draw: some.DrawFn) -> str:
    """One line as it may stand in a histogram, or nearly so."""
    name, suffix, labels = draw(some.sampled_from(["x", "x", "y_bucket"])), draw(_SUFFIXES), draw(_LABELS)
    bound = f'le="{draw(some.integers(0, 3))}"' if suffix == "_bucket" and draw(some.integers(0, 9)) else ""
    pairs = [part for part in (labels, bound) if part]
    if not draw(some.integers(0, 9)):
        pairs.reverse()
    braces = "{" + ",".join(pairs) + "}" if pairs or not draw(some.integers(0, 9)) else ""
    return f"{name}{suffix}{braces} {draw(_VALUES) if not draw(some.integers(0, 5)) else '1'}"


_ABOUT = some.builds(
    "# TYPE {} {}".format,
    some.sampled_from(["x", "x", "y_bucket", "x_bucket", "x_sum"]),
    some.sampled_from(["histogram", "histogram", "counter", "gaugehistogram", "summary"]),
)
BODIES = some.lists(_ABOUT | _samples() | _samples() | _samples(), max_size=14).map(
    lambda lines: "".join(f"{line}\n" for line in ("# TYPE x histogram", *lines)).encode()
)


@given(bodies=some.lists(BODIES, min_size=1, max_size=2), sort=some.booleans(), meta=some.booleans())
@settings(deadline=None, max_examples=400)
@pytest.mark.parametrize("wanted", Syntax)
@pytest.mark.parametrize("given_syntax", Syntax)
def test_line_by_line_it_is_the_same(
    given_syntax: Syntax, wanted: Syntax, bodies: list[bytes], sort: bool, meta: bool
) -> None:
    """Result and problems, whatever stands in what is called a histogram."""
    end = b"# EOF\n" if given_syntax is Syntax.OPENMETRICS else b""
    targets = [Target("ab"[place], [body + end], given_syntax.value) for place, body in enumerate(bodies)]
    form = Form(wanted, sort, meta)
    with LINE_BY_LINE:
        expected = merge(targets, form)
    assert merge(targets, form) == expected


USUAL = b"""\
# TYPE x histogram
x_bucket{a="1",le="1"} 1
x_bucket{a="1",le="+Inf"} 2
x_sum{a="1"} 3
x_count{a="1"} 2
x_bucket{a="2",le="1"} 1
x_bucket{a="2",le="+Inf"} 1
x_sum{a="2"} 0.5
x_count{a="2"} 1
"""


def test_a_usual_histogram() -> None:
    """It is read at one go, and each line gets its label."""
    found = GROUPS.match(USUAL, USUAL.index(b"x_bucket"))
    assert found is not None
    assert found.end() == len(USUAL)
    body, problems = merge([Target("api", [USUAL])], Form())
    assert (body, problems) == (USUAL.replace(b"{", b'{process_name="api",'), [])


def test_without_labels() -> None:
    """Sum and count have no braces then, and get some."""
    body, _ = merge(
        [Target("api", [b'# TYPE x histogram\nx_bucket{le="1"} 1\nx_sum 2\nx_count 1\n'])], Form()
    )
    assert body.splitlines()[1:] == [
        b'x_bucket{process_name="api",le="1"} 1',
        b'x_sum{process_name="api"} 2',
        b'x_count{process_name="api"} 1',
    ]


def test_what_is_repeated() -> None:
    """The first one counts, and the problem names what it is."""
    body, problems = merge([Target("api", [USUAL + b'x_sum{a="1"} 9\n'])], Form())
    assert body == USUAL.replace(b"{", b'{process_name="api",')
    assert problems == [Problem("api", "left out 1 that repeat another sample: x_sum", whole=False)]
