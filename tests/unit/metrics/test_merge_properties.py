"""Any valid expositions in, one valid exposition out: the reference parsers read it as their union."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from procwrap.metrics.merge import Form, Target, merge
from procwrap.metrics.syntax import Syntax
from tests.support.expositions import Exposition, expositions, read, samples_of

GIVEN = some.dictionaries(some.sampled_from(["api", "db", "a.b-c_0"]), expositions(), max_size=3)


def targets(given: dict[str, Exposition]) -> list[Target]:
    return [Target(process, [shown.body], shown.content_type) for process, shown in given.items()]


@pytest.mark.parametrize("syntax", Syntax)
@given(given=GIVEN, sort=some.booleans())
@settings(deadline=None, max_examples=200)
def test_the_union_is_read(syntax: Syntax, given: dict[str, Exposition], sort: bool) -> None:
    """Every sample arrives once, with its label; every family has one TYPE, and nothing is amiss."""
    body, problems = merge(targets(given), Form(syntax, sort=sort))
    families = read(body, syntax)
    found = samples_of(families)
    assert problems == []
    assert len(found) == len(set(found))
    assert set(found) == {seen for process, shown in given.items() for seen in shown.seen(process)}
    titles = [line for line in body.split(b"\n") if line.startswith(b"# TYPE ")]
    assert len(titles) == len(set(titles))


@given(given=GIVEN)
@settings(deadline=None)
def test_without_what_is_said(given: dict[str, Exposition]) -> None:
    """Without HELP and TYPE all samples are there just the same, and it is an exposition still."""
    for syntax in Syntax:
        body, _ = merge(targets(given), Form(syntax, meta=False))
        assert set(samples_of(read(body, syntax))) == {
            seen for process, shown in given.items() for seen in shown.seen(process)
        }
        assert b"# TYPE" not in body


@given(given=GIVEN, junk=some.binary(min_size=1, max_size=40))
@settings(deadline=None)
def test_garbage_loses_only_itself(given: dict[str, Exposition], junk: bytes) -> None:
    """Whatever one target sends, the others are all there, and the whole is an exposition."""
    bad = Target("bad", [b"fine 1\n" + junk + b'\n{ \xff "\n'])
    body, problems = merge([*targets(given), bad], Form(Syntax.TEXT))
    expected = {seen for process, shown in given.items() for seen in shown.seen(process)}
    assert set(samples_of(read(body, Syntax.TEXT))) == expected
    assert [(problem.process, problem.whole) for problem in problems] == [("bad", True)]


@given(shown=expositions(), size=some.integers(1, 50))
@settings(deadline=None, max_examples=50)
def test_pieces(shown: Exposition, size: int) -> None:
    """However a body came over the wire, it is the same."""
    body = shown.body
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    form = Form(Syntax.OPENMETRICS)
    whole = merge([Target("api", [body], shown.content_type)], form)
    assert merge([Target("api", pieces, shown.content_type)], form) == whole
