"""The command line: ``--config x``, ``-config x``, ``-config=x``, ``-debug=false``, ``-- command``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import field, frozen

from procwrap.config.fields import nearest
from procwrap.config.options import BY_NAME, OPTIONS, Option
from procwrap.config.problem import WrongValueError
from procwrap.core.printable import quoted
from procwrap.errors import UsageError
from procwrap.spec.plan import Given

_HELP = ("h", "help")


@frozen
class Arguments:
    """What the command line says.

    Attributes:
        given: the options and the command after ``--``.
        help: whether help was asked for; then nothing else counts.
    """

    given: Given = field(factory=Given)
    help: bool = False


def parse(argv: Sequence[str]) -> Arguments:
    """Read the arguments that follow the program's name.

    The value of an option that is given twice is the last one's, unless it may have several. Help stops the
    reading.

    Raises:
        UsageError: an unknown option, a value that is none, or a word where none belongs.
    """
    found: dict[str, object] = {}
    words = iter(argv)
    for word in words:
        if word == "--":
            found["command"] = _command(words)
        elif not word.startswith("-") or word == "-":
            raise UsageError(f"unexpected argument {quoted(word)}: a command to wrap stands after --")
        elif word.lstrip("-") in _HELP:
            return Arguments(help=True)
        else:
            option, value = _option(word, words)
            found[option.target] = (*_before(found, option), value) if option.repeatable else value
    given = Given(**found)  # type: ignore[arg-type]
    if given.command and given.config is not None:
        raise UsageError("--config and a command after -- exclude each other: the command needs no config")
    return Arguments(given)


def help_text() -> str:
    """What --help prints."""
    lines = [_HEAD]
    for option in OPTIONS:
        name = f"--{option.name}" + (f" {option.metavar}" if option.metavar else "")
        default = f" (default {option.default})" if option.default else ""
        lines.append(f"  {name:<34}{option.meaning}{default}")
    lines.append(f"  {'-h, --help':<34}print this")
    return "\n".join(lines) + "\n" + _FOOT


def _option(word: str, rest: Iterator[str]) -> tuple[Option, object]:
    name, equals, text = word.removeprefix("-").removeprefix("-").partition("=")
    option = BY_NAME.get(name)
    if option is None and word[2:].startswith("http") and (attached := BY_NAME.get(word[1])) is not None:
        # -ghttp://localhost/quit, as getopt has it; a URL may hold the sign that was looked for.
        option, equals, text = attached, "=", word[2:]
    if option is None:
        near = nearest(name, [*(known for known in BY_NAME if len(known) > 1), "help"])
        hint = f": did you mean --{near}?" if near else ": see procwrap --help"
        raise UsageError(f"unknown option {quoted('-' * (len(word) - len(word.lstrip('-'))) + name)}{hint}")
    written = f"-{option.short}" if name[:1] == option.short else f"--{name}"
    if not equals:
        text = "true" if option.is_flag else next(rest, "--")
        if text == "--":
            raise UsageError(f"{written} needs a value: {written} {option.metavar}")
    try:
        return option, option.value(text)
    except WrongValueError as error:
        raise UsageError(f"{written}: {error}") from None


def _before(found: dict[str, object], option: Option) -> tuple[object, ...]:
    """The values of an option that were given before."""
    values = found.get(option.target, ())
    return values if isinstance(values, tuple) else ()


def _command(words: Iterator[str]) -> tuple[str, ...]:
    command = tuple(words)
    if not command or not command[0]:
        raise UsageError("nothing follows --: expected the command to wrap, such as procwrap -- sleep 10")
    return command


_HEAD = """\
Usage: procwrap [options]                    run the processes of a config
       procwrap [options] -- command args... run this one command
       procwrap check [FILE]                 check a config, run nothing
       procwrap convert [FILE]               print a config in the native format
       procwrap schema                       print the JSON Schema of the native format
       procwrap events --listen-udp ADDRESS  print the events that other procwraps send there

With a procwrap that runs (each says more with --help):
       procwrap status [NAME...]             show the processes: state, health, pid, uptime, CPU, memory
       procwrap start|stop|restart NAME...   start, stop or restart processes
       procwrap signal SIGNAL NAME...        send them a signal
       procwrap logs [-f] [-n N] [NAME...]   print what they wrote, and what they write
       procwrap events [-f]                  print what happened to them, and what happens
       procwrap reload                       read the config again, and change what has changed
       procwrap wait [NAME...]               wait until they are ready
       procwrap completion bash|zsh          print the completion for a shell

Options (a single dash does as well: -config FILE, -config=FILE, -debug=false):"""

_FOOT = """
Durations are written 500ms, 10s, 2m0s, 1h30m. Each option but --version is also an environment variable:
PROCWRAP_ and its name, such as PROCWRAP_WAIT_DEADLINE. Besides these:
  CONFIG                            the config itself, JSON or YAML, when there is no --config
  HEALTH_SOCKET                     where HTTP is served: :8111 (default), host:port, unix:/path
  LOG_FORMAT                        logfmt (default), auto, json, free
  LOKI_URL                          a Loki that log records are pushed to
  METRICS_SERVER_ADDRESS            host:port that events are sent to (UDP)
  ELASTICSEARCH_URL                 an Elasticsearch or OpenSearch that keeps events
The command line goes before the environment, the environment before the config.

Exit codes: that of the main, vital or wrapped process; 0 after a graceful shutdown; 1 cannot start; 2 usage.
"""
