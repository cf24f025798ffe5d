"""The work of one step is bounded, however large and however odd the targets are."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator

import pytest

from procwrap.metrics import reader
from procwrap.metrics.merge import Form, Merge, Target
from procwrap.metrics.syntax import Syntax

LIMIT = 0.3
"""Seconds of the processor for one step: far more than the usual 0.01, so that neither a busy machine nor
the tracing of coverage is a failure."""

BODIES: dict[str, Callable[[], bytes]] = {
    "one family": lambda: b"".join(b'x{a="%d"} 1\n' % number for number in range(100_000)),
    "many families": lambda: b"".join(b"x%d 1\n" % number for number in range(30_000)),
    "families by turns": lambda: b'x{a="1"} 1\ny{a="1"} 1\n' * 30_000,
    "odd lines": lambda: b"".join(b'x{ a = "%d" } 1\n' % number for number in range(30_000)),
    "a long name": lambda: b"x" * 250_000 + b" 1\n",
    "a long value": lambda: b'x{a="' + b"\\\\" * 120_000 + b'"} 1\n',
    "a long label set": lambda: b"x{" + b'a="",' * 40_000 + b"} 1\n",
    "a long line that is none": lambda: b'x{process_name="' + b"y,process_name=" * 15_000 + b" 1\n",
    "long lines about a family": lambda: b"# HELP x " + b"\\n" * 120_000 + b"\n",
}


def steps(body: bytes, form: Form) -> Iterator[float]:
    """Merge; yield the seconds of each step."""
    merge = Merge(form)
    began = time.thread_time()
    for _ in merge.read(Target("a", [body])):
        yield time.thread_time() - began
        began = time.thread_time()
    for _ in merge.write(["a"]):
        yield time.thread_time() - began
        began = time.thread_time()
    yield time.thread_time() - began


@pytest.mark.parametrize("syntax", Syntax)
@pytest.mark.parametrize("name", BODIES)
def test_no_step_takes_long(name: str, syntax: Syntax) -> None:
    """Nothing that a target sends holds everybody else up."""
    # What all tests together have left in memory is not to be looked through within a step.
    gc.freeze()
    gc.disable()
    try:
        assert max(steps(BODIES[name](), Form(syntax))) < LIMIT
    finally:
        gc.enable()
        gc.unfreeze()


def test_what_changes_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target that changes the name with each line may do so only so often; it costs memory."""
    monkeypatch.setattr(reader, "MOST_RUNS", 10)
    merge = Merge(Form())
    for _ in merge.read(Target("a", [b"x 1\ny 1\n" * 6])):
        continue
    assert [problem.text for problem in merge.problems] == [
        "line 11: more than 10 times samples of another name"
    ]
