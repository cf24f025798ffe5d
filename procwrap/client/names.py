"""``procwrap __names``: what the shells' completion asks for."""

from __future__ import annotations

from procwrap.client.call import Call
from procwrap.client.fleet import fetch, text
from procwrap.errors import ExitStatus


def run(call: Call) -> int:
    """Print the names of the processes, one on a line."""
    for each in fetch(call.host)[1]:
        if (name := text(each, "name")).isprintable():
            call.screen.line(name)
    return ExitStatus.DONE
