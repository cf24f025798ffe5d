"""/api/processes: everything about the host and its processes, for operators."""

from __future__ import annotations

from attrs import define
from twisted.web.iweb import IRequest

from procwrap.web.answers import NOT_FOUND, Reply, complaint, data
from procwrap.web.shown import Shown

NO_SUCH_PROCESS = complaint(NOT_FOUND, "no process of this name")


@define(eq=False)
class Processes:
    """Shows all processes, or one."""

    _shown: Shown

    def all(self, _: IRequest) -> Reply:
        """Answer with the host and every process, in the order of the config."""
        views = self._shown.snapshot.processes.values()
        return data({"host": self._shown.host(), "processes": [self._shown.whole(view) for view in views]})

    def one(self, _: IRequest, name: str) -> Reply:
        """Answer with one process."""
        view = self._shown.snapshot.processes.get(name)
        return NO_SUCH_PROCESS if view is None else data(self._shown.whole(view))
