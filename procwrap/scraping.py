"""Part of the composition root: /prommerge, imported only where a process has a ``promTarget``."""

from __future__ import annotations

import gc
from typing import Any

from procwrap.abrupt import AbruptFactory
from procwrap.core.board import Board
from procwrap.core.roster import Derived, Roster
from procwrap.probes.aside import Asides
from procwrap.probes.httpwire import Endpoints
from procwrap.probes.secrets import shown_url
from procwrap.probes.wording import trouble
from procwrap.spec.plan import MergeSettings
from procwrap.spec.process import ProcessSpec
from procwrap.web.answers import Handler
from procwrap.web.mergelog import MergeLog
from procwrap.web.prommerge import Merging
from procwrap.web.scrape import Scraper, Source
from procwrap.web.scrapewire import make_client
from procwrap.web.slices import slices


def make_merging(
    roster: Roster, settings: MergeSettings, board: Board, reactor: Any, log: MergeLog
) -> Handler:
    """Return what answers /prommerge, and tells the log what it has found."""
    # The garbage collector looks at all that was imported whenever a merge has made as much again, and takes
    # 50 ms for it. None of that is ever garbage.
    gc.freeze()
    endpoints = Endpoints(reactor, Asides(reactor), AbruptFactory)
    scraper = Scraper(make_client(reactor, endpoints), reactor, trouble)
    return Merging(
        board,
        reactor,
        Derived(roster, _source),
        settings,
        scraper,
        log,
        slices(reactor),
    ).asked


def _source(process: ProcessSpec) -> Source | None:
    target = process.prom_target
    if target is None:
        return None
    return Source(process.name, target.url, target.headers, shown_url(target.url))
