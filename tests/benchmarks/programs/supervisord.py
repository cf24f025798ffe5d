"""supervisord with its usual control socket, passing what the children print to its own stdout and stderr."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from attrs import frozen

from tests.benchmarks.programs.program import MANY, Child, Launch, Place, Role

HOST = """\
[supervisord]
nodaemon=true
silent=true
logfile=/dev/null
logfile_maxbytes=0
pidfile={directory}/supervisord.pid
childlogdir={directory}

[unix_http_server]
file={directory}/supervisord.sock

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[group:children]
programs={members}
"""

PROGRAM = """
[program:{name}]
command={command}
autorestart=true
stdout_logfile=/dev/fd/1
stdout_logfile_maxbytes=0
stderr_logfile=/dev/fd/2
stderr_logfile_maxbytes=0
"""


def supervisord_conf(directory: Path, children: Sequence[Child]) -> str:
    """Its config file, one section a child; in values a percent sign is doubled.

    One group holds them all: it stops one group after another, the processes of a group at once.
    """
    members = ",".join(child.name for child in children)
    sections = [HOST.format(directory=str(directory).replace("%", "%%"), members=members)]
    for child in children:
        command = shlex.join(child.argv).replace("%", "%%")
        sections.append(PROGRAM.format(name=child.name, command=command))
    return "".join(sections)


@frozen
class Supervisord:
    """``supervisord -n -c FILE``."""

    executable: str
    absent: str = ""
    label: ClassVar[str] = "supervisord"
    role: ClassVar[Role] = "peer"
    most_children: ClassVar[int] = MANY
    serves_readiness: ClassVar[bool] = False

    def launch(self, place: Place, children: Sequence[Child]) -> Launch:
        """Write its config and run it in the foreground."""
        config = place.directory / "supervisord.conf"
        config.write_text(supervisord_conf(place.directory, children))
        return Launch((self.executable, "-n", "-c", str(config)))
