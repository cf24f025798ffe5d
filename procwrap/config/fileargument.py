"""The words behind ``procwrap check`` and ``procwrap convert``: ``[--secrets-dir DIR] [FILE]``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from procwrap.config.options import BY_NAME
from procwrap.config.problem import WrongValueError
from procwrap.config.secretsdir import surroundings
from procwrap.config.surroundings import Surroundings
from procwrap.core.printable import printable
from procwrap.errors import UsageError

_OPTION = BY_NAME["secrets-dir"]


@frozen
class FileArgument:
    """What these words say.

    Attributes:
        file: the path, ``-`` for standard input; None when the environment has the config.
        help: whether help was asked for; then nothing else counts.
    """

    file: str | None = None
    secrets_dir: str | None = None
    help: bool = False

    def surroundings(self, environ: Mapping[str, str]) -> Surroundings:
        """Return what the config may refer to.

        Raises:
            UsageError: the directory is none.
        """
        return surroundings(environ, self.secrets_dir or environ.get(_OPTION.variable) or None)


def parse(command: str, words: Sequence[str]) -> FileArgument:
    """Read the words.

    Args:
        command: the subcommand, for messages.
        words: what follows it.

    Raises:
        UsageError: one of them is unknown, or too many.
    """
    files: list[str] = []
    directory: str | None = None
    rest = iter(words)
    for word in rest:
        name, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or word == "-":
            files.append(word)
        elif name in ("h", "help"):
            return FileArgument(help=True)
        elif name == _OPTION.name:
            directory = _directory(value if equals else next(rest, ""))
        else:
            raise UsageError(
                f"unknown option {printable(word)}: procwrap {command} takes a FILE and --{_OPTION.name} DIR"
            )
    if len(files) > 1:
        raise UsageError(f"procwrap {command} takes one FILE")
    return FileArgument(files[0] if files else None, directory)


def _directory(value: str) -> str:
    try:
        return str(_OPTION.value(value))
    except WrongValueError as error:
        raise UsageError(f"--{_OPTION.name}: {error}") from None
