"""/prommerge: the metrics of all ready processes as one exposition."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

from attrs import define, field
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    DeferredSemaphore,
    FirstError,
    gatherResults,
    inlineCallbacks,
)
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Cooperator, TaskStopped
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest

from procwrap.core.board import Board
from procwrap.metrics.merge import Form, Merge, Target
from procwrap.metrics.problem import Problem
from procwrap.metrics.syntax import wanted
from procwrap.spec.plan import MergeSettings
from procwrap.web.answers import NO_CONTENT, OK, UNAVAILABLE, Reply, complaint
from procwrap.web.mergelog import MergeLog
from procwrap.web.scrape import Scraped, Scraper, Source
from procwrap.web.scrapewire import Budget, ScrapeError

AT_ONCE = 2
"""Merges that run at a time; each may hold all that its targets have sent."""
WAITING = 8
"""Merges that wait for their turn."""
TIMEOUT = 10.0
LONGEST_TIMEOUT = 120.0
RESERVE = 0.5
"""Seconds of the scraper's own time that are kept for merging and sending."""

WRITE = 64 * 1024
"""Bytes that are written at one go, at least."""

NOTHING = Reply(NO_CONTENT)
BUSY = complaint(UNAVAILABLE, "too many merges at a time", ((b"Retry-After", b"5"),))


@define(eq=False)
class Merging:
    """Answers /prommerge. Two who ask at the same time share nothing but the connections to the targets.

    Attributes:
        targets: of all processes that have one.
        slices: as from ``procwrap.web.slices``.
    """

    _board: Board
    _clock: IReactorTime
    _targets: Mapping[str, Source]
    _settings: MergeSettings
    _scraper: Scraper
    _log: MergeLog
    _slices: Cooperator
    _turns: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(AT_ONCE))
    _taken: int = 0

    def asked(self, request: IRequest) -> Reply | Deferred[Reply]:
        """Scrape and merge; cancelling the Deferred ends both."""
        views = self._board.snapshot.processes.values()
        ready = [self._targets[view.name] for view in views if view.healthy and view.name in self._targets]
        if not ready:
            return NOTHING
        if self._taken >= AT_ONCE + WAITING:
            return BUSY
        headers = request.requestHeaders
        form = Form(
            syntax=wanted(",".join(headers.getRawHeaders("accept", []))),
            sort=self._settings.sort,
            meta=not self._settings.omit_meta,
        )
        deadline = self._clock.seconds() + _patience(
            headers.getRawHeaders("x-prometheus-scrape-timeout-seconds")
        )
        self._taken += 1
        return self._turns.run(self._merge, ready, form, deadline).addBoth(self._leave)

    def _leave(self, result: Any) -> Any:
        self._taken -= 1
        return result

    @inlineCallbacks
    def _merge(
        self, targets: Sequence[Source], form: Form, deadline: float
    ) -> Generator[Deferred[Any], Any, Reply]:
        merge = Merge(form)
        yield self._read_all(merge, targets, deadline)
        pieces: list[bytes] = []
        if not (self._settings.empty_on_failure and any(problem.whole for problem in merge.problems)):
            yield self._slowly(_collected(merge.write([target.process for target in targets]), pieces))
        self._log.look(targets, merge.problems)
        return Reply(OK, content_type=form.syntax.value.encode(), pieces=pieces)

    @inlineCallbacks
    def _read_all(
        self, merge: Merge, sources: Sequence[Source], deadline: float
    ) -> Generator[Deferred[Any], Any, None]:
        budget = Budget()
        if not self._settings.concurrent:
            for source in sources:
                yield self._read(merge, source, deadline, budget)
            return
        reading: list[Deferred[None]] = []

        def begin() -> Iterator[None]:
            # A request costs half a millisecond: a hundred in one go would be felt.
            for source in sources:
                reading.append(self._read(merge, source, deadline, budget))
                yield

        try:
            yield self._slowly(begin())
        except CancelledError:
            gatherResults(reading, consumeErrors=True).addErrback(lambda _: None).cancel()
            raise
        try:
            yield gatherResults(reading, consumeErrors=True)
        except FirstError as error:
            # A failing target is no error here: somebody has cancelled, or there is a bug.
            error.subFailure.raiseException()

    @inlineCallbacks
    def _read(
        self, merge: Merge, source: Source, deadline: float, budget: Budget
    ) -> Generator[Deferred[Any], Any, None]:
        try:
            scraped: Scraped = yield self._scraper.scrape(source, merge.form.syntax, deadline, budget)
        except ScrapeError as error:
            merge.problems.append(Problem(source.process, str(error), whole=True))
            return
        sent = Target(source.process, scraped.pieces, scraped.content_type, scraped.gzipped)
        yield self._slowly(merge.read(sent))

    def _slowly(self, work: Iterator[object]) -> Deferred[Any]:
        task = self._slices.cooperate(work)
        done: Deferred[Any] = Deferred(lambda _: task.stop())

        def ended(result: object) -> None:
            # Only cancelling stops a task, and who cancels is answered already.
            if not (isinstance(result, Failure) and result.check(TaskStopped)):
                done.callback(result)

        task.whenDone().addBoth(ended)
        return done


def _collected(pieces: Iterator[bytes], kept: list[bytes]) -> Iterator[None]:
    """Keep what is yielded, small pieces joined to some that are worth a write."""
    small: list[bytes] = []
    size = 0
    for piece in pieces:
        small.append(piece)
        size += len(piece)
        if size >= WRITE:
            kept.append(b"".join(small))
            small.clear()
            size = 0
        yield
    kept.append(b"".join(small))


def _patience(sent: Sequence[str] | None) -> float:
    """Return how long the targets have, from what Prometheus says about its own patience."""
    try:
        seconds = float(sent[0]) if sent else TIMEOUT + RESERVE
    except ValueError:
        seconds = TIMEOUT + RESERVE
    if not seconds > 0:
        return TIMEOUT
    return min(max(seconds - RESERVE, seconds / 2), LONGEST_TIMEOUT)
