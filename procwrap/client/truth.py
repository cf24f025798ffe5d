"""What is true of a host, put together from the events of its ``/live``, and what is missing of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from procwrap.client.fleet import View, members, nobody, part, text

_OVER = {"exited", "failed", "stopped", "skipped"}


class Truth:
    """The host and its processes as they were told last.

    Attributes:
        is_known: whether anything was told.
    """

    def __init__(self) -> None:
        self._host: View = {}
        self._views: dict[str, View] = {}
        self.is_known = False

    def take(self, kind: str, told: Mapping[str, object], name: str) -> None:
        """Take an event of ``/live``.

        Args:
            kind: of the event; unknown ones are left alone.
            told: its data.
            name: of the host, for messages.

        Raises:
            NoHostError: it is no event of procwrap.
        """
        if kind == "snapshot":
            self._host, processes = members(told, name)
            self._views = {text(each, "name"): each for each in processes}
            self.is_known = True
        elif kind == "process":
            view = part(told, "process")
            if text(view, "name"):
                self._views[text(view, "name")] = view
        elif kind == "gone":
            self._views.pop(text(told, "name"), None)
        elif kind == "host":
            self._host = told

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Say of each name that is none of a process that it is none."""
        return [nobody(name, self._views) for name in names if name not in self._views]

    def missing(self, condition: str, names: Iterable[str]) -> dict[str, str]:
        """Return who is not as wanted, and why.

        Args:
            condition: ``ready``, ``running`` or ``exited``.
            names: of processes; without any, all of them have to be as wanted, and procwrap ready.
        """
        wanted = tuple(names)
        found = {name: self._trouble(name, condition) for name in wanted or self._views}
        missing = {name: why for name, why in found.items() if why}
        if condition != "ready" or wanted:
            return missing
        # Procwrap itself decides when it is ready: one that stands by for a lock does not count, say.
        return {} if self._host.get("healthy") is True else missing or {"procwrap": self._not_ready()}

    def _trouble(self, name: str, condition: str) -> str:
        view = self._views.get(name)
        if view is None:
            # A reload has taken it out of the config.
            return "" if condition == "exited" else "is no longer there"
        if _IS[condition](view):
            return ""
        state, reason = text(view, "state"), text(view, "reason")
        return f"is {state}: {reason}" if reason else f"is {state}"

    def _not_ready(self) -> str:
        if self._host.get("shutdown") is True:
            return "is shutting down"
        if self._host.get("preempted") is True:
            return "is on a machine that is about to be taken back (preempted)"
        return "is not ready yet"


def _is_ready(view: View) -> bool:
    return view.get("healthy") is True


def _is_running(view: View) -> bool:
    # One that has done its work has been running.
    done = text(view, "state") in _OVER and view.get("healthy") is True
    return done or (view.get("pid") is not None and text(view, "state") != "stopping")


def _is_over(view: View) -> bool:
    return text(view, "state") in _OVER


_IS = {"ready": _is_ready, "running": _is_running, "exited": _is_over}
