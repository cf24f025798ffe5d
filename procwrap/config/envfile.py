"""Files of ``NAME=value`` lines, as ``envsFile`` names them."""

from __future__ import annotations

import re

from procwrap.core.printable import printable
from procwrap.errors import SpawnError
from procwrap.spec.probe import Pairs

_LINE = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=(.*)\Z", re.DOTALL)
_QUOTED = re.compile(r"""(?:"((?:[^"\\]|\\.)*)"|'([^']*)')(?:[ \t]+(?:\#.*)?)?\Z""", re.DOTALL)
_COMMENT = re.compile(r"[ \t]#")
_ESCAPE = re.compile(r'\\(["\\$`])')


def parse(text: str, path: str) -> Pairs:
    r"""Read the text of an env file, the way a shell that sources it would.

    A value may stand in single quotes (nothing in it is special) or double quotes (``\"``, ``\\``, ``\$``
    and a backslash before a backtick lose their backslash). Nothing is substituted. A bare value ends at a
    ``#`` that follows white space.

    Args:
        text: the content of the file.
        path: its path, for the message.

    Returns:
        Names and values in the order of the file.

    Raises:
        EnvFileError: a line is none of this; the message has its number, never its content.
    """
    found: list[tuple[str, str]] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        content = line.strip(" \t\r")
        if not content or content.startswith("#"):
            continue
        match = _LINE.match(content)
        if match is None:
            raise EnvFileError(path, number, "expected NAME=value")
        found.append((match[1], _value(match[2], path, number)))
    return tuple(found)


def _value(text: str, path: str, number: int) -> str:
    if "\0" in text:
        raise EnvFileError(path, number, "it holds a NUL, which no environment can")
    value = text.lstrip(" \t")
    if not value.startswith(('"', "'")):
        comment = _COMMENT.search(text)
        return (text[: comment.start()] if comment else text).strip(" \t")
    match = _QUOTED.match(value)
    if match is None:
        raise EnvFileError(path, number, "the quote is not closed, or something follows it")
    return match[2] if match[1] is None else _ESCAPE.sub(r"\1", match[1])


class EnvFileError(SpawnError):
    """A line of an env file cannot be read, so the process cannot be started as asked.

    Attributes:
        path: the file.
        number: the number of the line, from 1.
    """

    def __init__(self, path: str, number: int, what: str) -> None:
        super().__init__(f"envsFile {printable(path)}, line {number}: {what}")
        self.path = path
        self.number = number
