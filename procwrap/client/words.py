"""What stands behind a subcommand: its options, ``-json=true`` included, and its names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from procwrap.core.printable import quoted
from procwrap.errors import UsageError

_HELP = ("h", "help")


def text(value: str) -> str:
    """A value that is not empty."""
    if not value:
        raise ValueError("expected a value, got an empty one")
    return value


def duration(value: str) -> float:
    """Seconds of ``30s``, ``1m30s``."""
    from procwrap.config.units import duration as seconds

    return seconds(value)


def count(value: str) -> int:
    """A whole number that is not negative."""
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise ValueError(f"expected a whole number such as 100, got {quoted(value)}")
    return int(value)


def switch(value: str) -> bool:
    """A yes or no, as the main command line knows it."""
    from procwrap.config.units import switch as read

    return read(value)


class Option(NamedTuple):
    """One option of a subcommand.

    Attributes:
        name: as it is written after ``--`` or ``-``.
        meaning: what it does, for --help.
        metavar: what its value is called; empty for a flag.
        read: makes the value of the text, or raises ValueError.
        short: the letter that stands for it after a single dash.
        choices: the only values that it takes, for completion.
    """

    name: str
    meaning: str
    metavar: str = ""
    read: Callable[[str], object] = text
    short: str = ""
    choices: tuple[str, ...] = ()


class Command(NamedTuple):
    """One subcommand.

    Attributes:
        name: what it is called.
        words: what follows it, for --help.
        meaning: what it does, for --help; some lines.
        options: those of its own, before those that all have.
        least: how many words it needs.
        most: how many it takes; None is any number.
        takes: what its words are: ``names`` of processes, or something else.
    """

    name: str
    words: str
    meaning: str
    options: tuple[Option, ...]
    least: int = 0
    most: int | None = None
    takes: str = "names"


class Asked(NamedTuple):
    """What a command line asks of a subcommand.

    Attributes:
        command: the subcommand.
        words: all that is no option, such as names.
        options: values by name; what was not given is missing.
        help: whether help was asked for; then nothing else counts.
    """

    command: Command
    words: tuple[str, ...] = ()
    options: Mapping[str, object] = {}
    help: bool = False

    def flag(self, name: str) -> bool:
        """Whether a flag was given."""
        return self.options.get(name) is True

    def text(self, name: str) -> str | None:
        """Return the text of an option, or None."""
        value = self.options.get(name)
        return value if isinstance(value, str) else None

    def seconds(self, name: str) -> float | None:
        """Return the duration of an option, or None."""
        value = self.options.get(name)
        return value if isinstance(value, float) else None

    def whole(self, name: str) -> int | None:
        """Return the number of an option, or None."""
        value = self.options.get(name)
        return value if isinstance(value, int) else None


def parse(command: Command, given: Sequence[str]) -> Asked:
    """Read what follows a subcommand.

    Of an option that is given twice the last one counts. Help stops the reading.

    Raises:
        UsageError: an unknown option, a value that is none, too many words, or too few.
    """
    known = {option.name: option for option in command.options}
    known |= {option.short: option for option in command.options if option.short}
    names: list[str] = []
    options: dict[str, object] = {}
    words = iter(given)
    for word in words:
        if word == "--":
            names += words
        elif not word.startswith("-") or word == "-":
            names.append(word)
        elif word.lstrip("-") in _HELP:
            return Asked(command, help=True)
        else:
            for option, value in _options(command, known, word, words):
                options[option.name] = _value(option, value)
    return Asked(command, _checked(command, tuple(names)), options)


def _options(
    command: Command, known: Mapping[str, Option], word: str, rest: Iterator[str]
) -> Iterator[tuple[Option, str]]:
    """Yield the options of one word with their values: several where letters stand together, ``-fn5``."""
    name, equals, value = word.removeprefix("-").removeprefix("-").partition("=")
    option = known.get(name)
    if option is not None:
        yield option, value if equals else _following(option, rest)
        return
    letters = word[1:]
    while letters and (option := known.get(letters[0])) is not None and not word.startswith("--"):
        letters = letters[1:]
        if option.metavar and letters:
            yield option, letters.removeprefix("=")
            return
        yield option, _following(option, rest)
    if letters:
        raise UsageError(
            f"procwrap {command.name}: unknown option {quoted(word.partition('=')[0])}"
            + _advice(name, command)
        )


def _following(option: Option, rest: Iterator[str]) -> str:
    if not option.metavar:
        return "true"
    value = next(rest, "--")
    if value == "--":
        raise UsageError(f"{_written(option)} needs a value: {_written(option)} {option.metavar}")
    return value


def _value(option: Option, value: str) -> object:
    try:
        return option.read(value) if option.metavar else value == "true" or switch(value)
    except ValueError as error:
        raise UsageError(f"{_written(option)}: {error}") from None


def _written(option: Option) -> str:
    return f"--{option.name}"


def _advice(name: str, command: Command) -> str:
    from procwrap.config.fields import nearest

    near = nearest(name, [*(option.name for option in command.options), "help"])
    return f": did you mean --{near}?" if near else f": see procwrap {command.name} --help"


def _checked(command: Command, names: tuple[str, ...]) -> tuple[str, ...]:
    if len(names) < command.least:
        raise UsageError(
            f"expected procwrap {command.name} {command.words}: see procwrap {command.name} --help"
        )
    if command.most is not None and len(names) > command.most:
        raise UsageError(f"procwrap {command.name}: unexpected argument {quoted(names[command.most])}")
    return names
