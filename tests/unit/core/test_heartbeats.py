from __future__ import annotations

from procwrap.core.heartbeats import Beat, Heartbeats


def test_none_at_first() -> None:
    """A process that never gave a heartbeat has none."""
    assert Heartbeats(("api",)).last("api") is None


def test_the_last_one_counts() -> None:
    """The latest heartbeat is the one that is remembered."""
    heartbeats = Heartbeats(("api",))
    assert heartbeats.beat("api", 1.0, 100.0)
    assert heartbeats.beat("api", 2.0, 101.0)
    assert heartbeats.last("api") == Beat(2.0, 101.0)


def test_unknown_names_leave_nothing() -> None:
    """Whatever names are sent, nothing is stored for those that are not in the plan."""
    heartbeats = Heartbeats(("api",))
    assert not any(heartbeats.beat(f"nobody-{number}", 1.0, 1.0) for number in range(10_000))
    assert heartbeats._last == {}
    assert heartbeats.names == ("api",)


def test_the_time_between_two_is_known() -> None:
    """From the second one on."""
    heartbeats = Heartbeats(("api",))
    heartbeats.beat("api", 1.0, 100.0)
    assert heartbeats.last("api") is not None
    assert heartbeats.last("api").period is None  # type: ignore[union-attr]
    heartbeats.beat("api", 3.5, 101.0)
    assert heartbeats.last("api").period == 2.5  # type: ignore[union-attr]
