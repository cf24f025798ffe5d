"""Makes ``twistd procwrap`` known.

There is no __init__.py here: Twisted looks for plugins in every folder of this name on the path.
"""

from __future__ import annotations

from twisted.application.service import ServiceMaker

procwrap = ServiceMaker(
    "procwrap",
    "procwrap.tap",
    "Run several processes in one container: their logs, probes, restarts and shutdown.",
    "procwrap",
)
