from __future__ import annotations

import pytest

from procwrap.client.commands import COMMANDS, usage
from procwrap.client.words import Asked, parse
from procwrap.errors import UsageError


def asked(line: str) -> Asked:
    """Read a command line."""
    name, *words = line.split()
    return parse(COMMANDS[name], words)


def refused(line: str) -> str:
    """Return why a command line cannot be."""
    with pytest.raises(UsageError) as caught:
        asked(line)
    return str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "logs -f -n 5 a b",
        "logs a --follow --lines=5 b",
        "logs -follow -lines 5 a b",
        "logs -fn5 a b",
        "logs -fn 5 a b",
        "logs -n5 -f=true a b",
        "logs --lines 7 -n=5 -follow=on a -- b",
    ],
)
def test_every_spelling(line: str) -> None:
    """One dash or two, values behind a blank or an equals sign, letters together; of two values the last."""
    found = asked(line)
    assert (found.words, found.flag("follow"), found.whole("lines")) == (("a", "b"), True, 5)


def test_a_flag_is_taken_back() -> None:
    """As for the main command line, ``=false`` is no."""
    assert not asked("status -json=false").flag("json")
    assert asked("status --json=1").flag("json")


def test_what_was_not_given_is_missing() -> None:
    """Neither a flag, nor a text, a number or a duration."""
    found = asked("logs")
    assert (found.flag("follow"), found.text("url"), found.whole("lines"), found.seconds("timeout")) == (
        False,
        None,
        None,
        None,
    )


def test_what_follows_two_dashes_is_a_name() -> None:
    """Whatever it looks like."""
    assert asked("stop -- -x --json").words == ("-x", "--json")


def test_help_stops_the_reading() -> None:
    """What else stands there does not matter."""
    for word in ("-h", "--help", "-help"):
        assert asked(f"stop {word} --nonsense").help


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("status --jsn", 'procwrap status: unknown option "--jsn": did you mean --json?'),
        ("status -xyz", 'procwrap status: unknown option "-xyz": see procwrap status --help'),
        ("stop", "expected procwrap stop NAME...: see procwrap stop --help"),
        ("signal HUP", "expected procwrap signal SIGNAL NAME...: see procwrap signal --help"),
        ("reload api", 'procwrap reload: unexpected argument "api"'),
        ("logs -n", "--lines needs a value: --lines N"),
        ("logs -n many", '--lines: expected a whole number such as 100, got "many"'),
        ("logs -n -5", '--lines: expected a whole number such as 100, got "-5"'),
        (
            "stop --timeout 10 a",
            "--timeout: expected a duration such as 10s or 1m30s, got 10: a bare number has no unit",
        ),
        ("stop --timeout -- a", "--timeout needs a value: --timeout DUR"),
        ("wait --for sale", "--for: expected one of ready, running, exited"),
        ("status --socket=", "--socket: expected a value, got an empty one"),
        (
            "status --json=perhaps",
            '--json: expected on or off (or true, false, 1, 0, yes, no), got "perhaps"',
        ),
    ],
)
def test_what_cannot_be(line: str, why: str) -> None:
    """One line says what is wrong, and what would be right."""
    assert refused(line) == why


def test_a_token_is_never_repeated() -> None:
    """A message about a mistake elsewhere does not show it."""
    assert "sesame" not in refused("status --token sesame --nonsense")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_and_names_every_option(name: str) -> None:
    """Each option of a subcommand stands in its help, in lines that fit a terminal."""
    text = usage(COMMANDS[name])
    assert all(f"--{option.name}" in text for option in COMMANDS[name].options)
    assert max(map(len, text.splitlines())) <= 110
