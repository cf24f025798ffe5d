"""circusd, one watcher a child, streaming what the children print to its own stdout."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from attrs import frozen

from tests.benchmarks.programs.program import MANY, Child, Launch, Place, Role

# Unix sockets instead of its two fixed TCP ports, so that two runs never meet.
HOST = """\
[circus]
endpoint = ipc://{directory}/endpoint
pubsub_endpoint = ipc://{directory}/pubsub
"""

WATCHER = """
[watcher:{name}]
cmd = {command}
stdout_stream.class = StdoutStream
stderr_stream.class = StdoutStream
"""


def circus_ini(directory: Path, children: Sequence[Child]) -> str:
    """Its config file."""
    watchers = [WATCHER.format(name=child.name, command=shlex.join(child.argv)) for child in children]
    return HOST.format(directory=directory) + "".join(watchers)


@frozen
class Circus:
    """``circusd FILE``, with all else at its defaults."""

    executable: str
    absent: str = ""
    label: ClassVar[str] = "circus"
    role: ClassVar[Role] = "peer"
    most_children: ClassVar[int] = MANY
    serves_readiness: ClassVar[bool] = False

    def launch(self, place: Place, children: Sequence[Child]) -> Launch:
        """Write its config and run it in the foreground."""
        config = place.directory / "circus.ini"
        config.write_text(circus_ini(place.directory, children))
        return Launch((self.executable, str(config)))
