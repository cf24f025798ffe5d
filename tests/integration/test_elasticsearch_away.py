"""An Elasticsearch that is away while more happens than may wait."""

from __future__ import annotations

import os
import re
import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from procwrap.sinks.elasticsearch import BOUNDS
from tests.support.hosted import Hosted, process, python
from tests.support.procfs import status
from tests.support.servers.elasticsearch import MODULE, counted, settled
from tests.support.servers.moods import Moody

pytestmark = [pytest.mark.integration, pytest.mark.alone, pytest.mark.usefixtures("nothing_left")]

LONG = bool(os.environ.get("PROCWRAP_LONG"))
AWAY = 60.0 if LONG else 5.0
"""Seconds."""
RATE = 10_000
MIB = 1024 * 1024

# Writes a hundred lines at a time, RATE of them a second, and says in the first of them when it was to do so.
WRITER = f"""
import os, time
began, turn = time.time(), 0
while True:
    due = began + turn * 100 / {RATE}
    time.sleep(max(due - time.time(), 0))
    os.write(1, b"due %f %d\\n" % (due, turn) + b"a line of a process that has something to say\\n" * 99)
    turn += 1
"""


def resident(host: Hosted) -> int:
    """The resident memory of procwrap in bytes."""
    return int(status(host.process.pid)["VmRSS"].split()[0]) * 1024


def talkative(home: Path) -> dict[str, Any]:
    """Sixty processes, whose probes fail three thousand times a second until there is a file."""
    probe = {"delay": "10ms", "period": "30ms", "failureThreshold": 10**6, "heartBeat": {"period": "1ms"}}
    there = {"file": {"path": str(home / "there")}, "env": {"name": "ABSENT", "value": "x"}}
    return process(
        "many", f"until test -e {home}/there; do sleep 0.2; done", replicas=60, readiness={**probe, **there}
    )


def test_away_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What waits arrives in order, the rest is counted, and children write as fast as ever."""
    plan = [talkative(tmp_path), python("writer", WRITER)]
    with Moody(MODULE) as server:
        with Hosted(tmp_path, plan, environment={"ELASTICSEARCH_URL": server.url}, http=True) as host:
            host.until(lambda: server.ask("count") > 500)
            before = resident(host)
            # What it takes at the very moment at which it goes, it has, and nobody knows.
            asked = server.ask("asked")
            server.be("status", status=503)
            host.until(lambda: server.ask("asked") > asked)
            server.be("away")
            time.sleep(AWAY / 2)
            half = resident(host)
            time.sleep(AWAY / 2)
            host.until(lambda: counted(host)["dropped"] > 1000)
            after = resident(host)
            dropped_away = counted(host)["dropped"]
            came_back = server.ask("count")
            server.be("good")
            (tmp_path / "there").touch()
            host.until(lambda: server.ask("count") > came_back)
            documents, counts = settled(host, server), counted(host)
            assert host.end() == 0
        last = server.ask("documents")[-1]["sequence"]
    numbers = [document["sequence"] for document in documents]
    assert numbers == sorted(set(numbers))
    assert counts == {"sent": len(numbers), "refused": 0, "dropped": numbers[-1] - len(numbers)}
    after_the_gap = numbers[came_back:]
    assert len(after_the_gap) >= BOUNDS.most_records
    waited = after_the_gap[: BOUNDS.most_records]
    gaps = sum(b - a > 1 for a, b in pairwise(waited))
    assert gaps <= 1
    assert last == numbers[-1] + 1
    late = lateness(host)
    figures = {
        "away": AWAY,
        "events": numbers[-1],
        "dropped meanwhile": dropped_away,
        "MiB": [round(each / MIB, 1) for each in (before, half, after)],
        "ms late, median and 99 %": [round(1000 * late[len(late) * part // 100], 1) for part in (50, 99)],
    }
    if LONG:
        with capsys.disabled():
            print(figures, counts)  # noqa: T201
    assert after - before < 40 * MIB
    assert after - half < 10 * MIB
    assert late[len(late) // 2] < 0.05


def lateness(host: Hosted) -> list[float]:
    """By how many seconds the lines of the writer came later than they were due; none is missing."""
    due = re.compile(rb'time="([^"]+)" .*msg="due ([0-9.]+) ([0-9]+)" name=writer')
    found = [due.match(line) for line in host.out.read_bytes().split(b"\n") if b'msg="due ' in line]
    assert [int(each[3]) for each in found if each] == list(range(len(found)))
    assert len(found) > RATE / 100 * AWAY
    return sorted(
        datetime.fromisoformat(each[1].decode()).timestamp() - float(each[2]) for each in found if each
    )
