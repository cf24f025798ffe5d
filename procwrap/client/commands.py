"""The subcommands: what each is called, takes and does. Help and completion are made of this table."""

from __future__ import annotations

from procwrap.client.words import Command, Option, count, duration, text

_JSON = Option("json", "print JSON")
_FOLLOW = Option("follow", "go on as it comes, until Ctrl-C", short="f")

CONDITIONS = ("ready", "running", "exited")
SHELLS = ("bash", "zsh")


def _condition(value: str) -> str:
    if value not in CONDITIONS:
        raise ValueError(f"expected one of {', '.join(CONDITIONS)}")
    return value


REACHING = (
    Option("socket", "the control socket; PROCWRAP_CONTROL_SOCKET", "PATH", text),
    Option("url", "reach procwrap over TCP instead: http://host:8111, https://…", "URL", text),
    Option("token", "the bearer token for --url; PROCWRAP_API_TOKEN", "TOKEN", text),
    Option("token-file", "a file that holds it; PROCWRAP_API_TOKEN_FILE", "FILE", text),
    Option("cacert", "PEM file of the authorities that https:// is checked against", "FILE", text),
    Option("insecure", "do not check the certificate of https://"),
)
"""The options of every subcommand: how procwrap is reached."""

_WAITING = (
    Option("no-wait", "do not wait until it is done"),
    Option("timeout", "wait no longer than this; exit 1 then", "DUR", duration),
    _JSON,
)

_ORDER = "{} processes, all of them at once, and wait until each is done: {}.\nA line tells what came of it."

_ALL = (
    Command(
        "status",
        "[NAME...]",
        "Show the processes: state, health, pid, uptime, restarts, CPU and memory, last exit. What ails an\n"
        "unhealthy one stands below it. The exit code is 0 however the processes are.",
        (_JSON,),
    ),
    Command("start", "NAME...", _ORDER.format("Start", "it runs and is healthy"), _WAITING, least=1),
    Command("stop", "NAME...", _ORDER.format("Stop", "it is gone"), _WAITING, least=1),
    Command("restart", "NAME...", _ORDER.format("Restart", "it runs and is healthy"), _WAITING, least=1),
    Command(
        "signal",
        "SIGNAL NAME...",
        "Send a signal (HUP, SIGHUP or 1) to the process groups of processes.",
        (_JSON,),
        least=2,
    ),
    Command(
        "logs",
        "[NAME...]",
        "Print the recent output of processes, of all without a name, in the form that procwrap gives it.\n"
        "That of several is put in order by its times; what follows is printed as it comes.",
        (
            _FOLLOW,
            Option("lines", "how many recent lines of each (100)", "N", count, short="n"),
        ),
    ),
    Command(
        "events",
        "",
        "Print the recent events in the lives of the processes.\n"
        "procwrap events --listen-udp ADDRESS prints instead what other procwraps send there.",
        (_FOLLOW, _JSON),
        most=0,
        takes="nothing",
    ),
    Command(
        "reload",
        "",
        "Have procwrap read its config again: what has changed in it is started, stopped and restarted, and\n"
        "shown here. When the config is wrong nothing changes, and each mistake is a line.",
        (_JSON,),
        most=0,
        takes="nothing",
    ),
    Command(
        "wait",
        "[NAME...]",
        "Wait until processes are ready (healthy), run, or have exited. Without a name: until procwrap is\n"
        "ready, all run, or all have exited. It may be started before procwrap is.",
        (
            Option("for", "ready, running or exited (ready)", "WHAT", _condition, choices=CONDITIONS),
            Option("timeout", "exit 1 after this (2m0s)", "DUR", duration),
        ),
    ),
    Command(
        "completion",
        "bash|zsh",
        'Print the completion of procwrap for a shell: eval "$(procwrap completion bash)" in ~/.bashrc, or\n'
        'eval "$(procwrap completion zsh)" in ~/.zshrc after compinit.',
        (),
        least=1,
        most=1,
        takes="shells",
    ),
    Command("__names", "", "Print the names of the processes, for completion.", (), most=0, takes="nothing"),
)

LOCAL = frozenset({"completion"})
"""Those that talk to nobody."""

COMMANDS = {
    command.name: command
    if command.name in LOCAL
    else command._replace(options=(*command.options, *REACHING))
    for command in _ALL
}


def usage(command: Command) -> str:
    """Return what --help of a subcommand prints."""
    lines = [f"Usage: procwrap {command.name} [options] {command.words}".rstrip(), "", command.meaning, ""]
    lines += [_line(option) for option in command.options] + [f"  {'-h, --help':<22}print this"]
    if command.name not in LOCAL:
        lines += ["", "Exit codes: 0 done, 1 procwrap said no, 2 usage, 3 no procwrap to talk to."]
    return "\n".join(lines) + "\n"


def _line(option: Option) -> str:
    short = f"-{option.short}, " if option.short else ""
    name = f"{short}--{option.name} {option.metavar}".rstrip()
    return f"  {name:<22}{option.meaning}"
