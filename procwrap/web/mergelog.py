"""Says which targets fail and when they are back: once a change, not once a scrape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import define, field

from procwrap.core.events import Level, Notice
from procwrap.metrics.problem import Problem
from procwrap.web.scrape import Source


@define(eq=False)
class MergeLog:
    """Remembers what was wrong with each target the last time.

    Attributes:
        tell: takes a notice.
        silent: nobody wants to know.
        up: whether the last merge had the metrics of each of its targets, by process.
    """

    _tell: Callable[[Notice], None]
    _silent: bool = False
    up: Mapping[str, bool] = field(init=False, factory=dict)
    _down: set[str] = field(init=False, factory=set)
    _flawed: dict[str, str] = field(init=False, factory=dict)

    def look(self, targets: Sequence[Source], problems: Sequence[Problem]) -> None:
        """Compare a merge with the one before."""
        failed = {problem.process for problem in problems if problem.whole}
        self.up = {target.process: target.process not in failed for target in targets}
        if self._silent:
            return
        for target in targets:
            those = [problem for problem in problems if problem.process == target.process]
            lost = next((problem.text for problem in those if problem.whole), None)
            self._look_whether_lost(target, lost)
            if lost is None:
                self._look_at_flaws(target, "; ".join(sorted(problem.text for problem in those)))

    def _look_whether_lost(self, target: Source, why: str | None) -> None:
        if why is not None and target.process not in self._down:
            self._down.add(target.process)
            self._say(Level.WARNING, target, f"{why}; its metrics are not in /prommerge")
        elif why is None and target.process in self._down:
            self._down.discard(target.process)
            self._say(Level.INFO, target, "its metrics are back")

    def _look_at_flaws(self, target: Source, flaws: str) -> None:
        if flaws and self._flawed.get(target.process) != flaws:
            self._say(Level.WARNING, target, flaws)
        self._flawed[target.process] = flaws

    def _say(self, level: Level, target: Source, text: str) -> None:
        self._tell(Notice(level, f"{target.shown}: {text}", target.process))
