from __future__ import annotations

from attrs import fields

from procwrap.config.options import BY_NAME, OPTIONS
from procwrap.spec.plan import Given


def test_every_option_sets_something() -> None:
    """Each option has its own name and an attribute of Given; none is left without an option by mistake."""
    targets = {option.target for option in OPTIONS}
    known = {attribute.name for attribute in fields(Given)}
    assert len(OPTIONS) == len(targets) == len(BY_NAME)
    assert known - targets == {"config_text", "command", "socket", "log_format"}


def test_variables() -> None:
    """An option's variable is PROCWRAP_ and its name."""
    assert BY_NAME["wait-deadline"].variable == "PROCWRAP_WAIT_DEADLINE"


def test_flags() -> None:
    """A flag needs no value, and an inverted one switches off."""
    assert BY_NAME["debug"].is_flag
    assert not BY_NAME["http"].is_flag
    assert BY_NAME["no-reap-group"].value("true") is False
