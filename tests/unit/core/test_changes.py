from __future__ import annotations

from procwrap.core.changes import MOST_NAMED, Changes, summary


def test_the_difference_in_one_line() -> None:
    """What there is of it, with names and keys."""
    changes = Changes(
        added=("a", "b"),
        removed=("c",),
        restarted={"api": ("args", "envs")},
        adjusted={"db": ("labels",)},
        unchanged=97,
    )
    expected = "1 restarted (api: args envs), 2 added (a, b), 1 removed (c), "
    expected += "1 adjusted (db: labels), 97 unchanged"
    assert summary(changes) == expected
    assert summary(Changes(unchanged=3)) == "3 unchanged"


def test_thousands_of_names_are_counted() -> None:
    """A line stays one that can be read."""
    names = tuple(f"p{number}" for number in range(5000))
    line = summary(Changes(added=names))
    assert line.startswith("5000 added (p0, p1")
    assert line.endswith(f", and {5000 - MOST_NAMED} more), 0 unchanged")
