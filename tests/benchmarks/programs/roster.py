"""Who takes part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from tests.benchmarks.programs.circus import Circus
from tests.benchmarks.programs.custom import Custom
from tests.benchmarks.programs.peersvenv import PeersVenv
from tests.benchmarks.programs.procwrap import Procwrap, ProcwrapWrapping, procwrap_command
from tests.benchmarks.programs.program import Program
from tests.benchmarks.programs.small import PipeAlone, S6Log, Tini
from tests.benchmarks.programs.supervisord import Supervisord


@frozen
class Roster:
    """Every program, grouped by what it can do.

    Attributes:
        hosts: Run any number of children from a config.
        wrappers: Run one command.
        streams: Carry a child's output to their own stdout.
        version_commands: What prints the version of each.
    """

    hosts: tuple[Program, ...]
    wrappers: tuple[Program, ...]
    streams: tuple[Program, ...]
    version_commands: Mapping[str, Sequence[str]]


def call_roll(peers: PeersVenv, custom: Sequence[Custom]) -> Roster:
    """Everyone, with what ``--peer`` named; who is not to be had stays in the tables with the reason why."""
    supervisord, circus = Supervisord(*peers.executable("supervisord")), Circus(*peers.executable("circusd"))
    more_hosts = [one for one in custom if one.most_children > 1]
    more_wrappers = [one for one in custom if one.most_children == 1]
    free = Procwrap("procwrap free", {"logFormat": "free"})
    return Roster(
        hosts=(Procwrap(), supervisord, circus, *more_hosts),
        wrappers=(ProcwrapWrapping(), Tini(), *more_wrappers),
        streams=(Procwrap(), free, S6Log("T"), S6Log("t"), supervisord, circus, *more_hosts, PipeAlone()),
        version_commands={
            "procwrap": (*procwrap_command().argv, "--version"),
            "supervisord": (supervisord.executable, "--version"),
            "circus": (circus.executable, "--version"),
            "tini": ("tini", "--version"),
            "s6": ("dpkg-query", "--show", "--showformat=${Version}", "s6"),
        },
    )
