from __future__ import annotations

import pytest

from tests.benchmarks.options import CASES, parse


def test_everything_is_measured_five_times_by_default() -> None:
    """The command without options is the whole comparison."""
    asked = parse([])
    assert (asked.only, asked.runs, asked.quick, asked.check) == (list(CASES), 5, False, False)


def test_only_takes_some_in_the_order_given() -> None:
    """``--only stop,memory`` runs these two."""
    assert parse(["--only", "stop,memory"]).only == ["stop", "memory"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "stop,nap"], "no benchmark is called 'nap'"),
        (["--runs", "0"], "expected a number from 1, got '0'"),
        (["--peer", "dumb-init"], "expected NAME=COMMAND, got 'dumb-init'"),
    ],
)
def test_a_mistake_is_named(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2, and what is right instead."""
    with pytest.raises(SystemExit, match="2"):
        parse(arguments)
    assert message in capsys.readouterr().err
