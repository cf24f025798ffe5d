from __future__ import annotations

import pytest

from procwrap.core.indexname import index_name, wrong_with

NEW_YEAR = 1_798_761_599.999
"""The last millisecond of 2026, a Thursday of week 53."""


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("procwrap-%Y.%m.%d", "procwrap-2026.12.31"),
        ("logs-procwrap-default", "logs-procwrap-default"),
        ("p-%y-%j-%H", "p-26-365-23"),
        ("p-%G.%V", "p-2026.53"),
        (".hidden_%Y", ".hidden_2026"),
        ("größe", "größe"),
    ],
)
def test_the_name_for_a_moment(pattern: str, name: str) -> None:
    """In UTC, wherever the host is."""
    assert wrong_with(pattern) is None
    assert index_name(pattern, NEW_YEAR) == name
    assert index_name(pattern, NEW_YEAR + 0.001) == name.replace("2026.12.31", "2027.01.01").replace(
        "26-365-23", "27-001-00"
    ).replace("hidden_2026", "hidden_2027")


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("p-%B", "expected %Y, %m, %d, %H, %j, %G or %V for the time, got %B"),
        ("p-%", "expected %Y, %m, %d, %H, %j, %G or %V for the time, got %"),
        ("p-%%", "expected %Y, %m, %d, %H, %j, %G or %V for the time, got %%"),
        ("<p-{now/d}>", "expected no <: the name of an index cannot hold it"),
        ("a/b", "expected no /: the name of an index cannot hold it"),
        ("a b", "expected no white space: the name of an index cannot hold it"),
        ("a\x00b", "expected no control character: the name of an index cannot hold it"),
        ("a,b", "expected no ,: the name of an index cannot hold it"),
        ("A", "expected small letters: the name of an index has no capital ones"),
        ("-a", "expected a letter or digit in front"),
        ("_all", "expected a letter or digit in front"),
        ("..", "expected a letter or digit in front"),
        ("", "expected a letter or digit in front"),
        ("ä" * 128, "expected at most 255 bytes"),
    ],
)
def test_what_is_no_name(pattern: str, problem: str) -> None:
    """What the server would refuse is refused before anything is sent."""
    assert wrong_with(pattern) == problem


def test_as_long_as_can_be() -> None:
    """255 bytes, when the date stands in it."""
    assert wrong_with("a" * 251 + "%Y") is None
    assert wrong_with("a" * 252 + "%Y") == "expected at most 255 bytes"
