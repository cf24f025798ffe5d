from __future__ import annotations

import signal
from typing import Any

import pytest
from attrs import evolve, fields

from procwrap.core.difference import (
    _ALIVE,
    _BORN_WITH,
    NO_DIFFERENCE,
    SETTINGS,
    beyond,
    compare,
)
from procwrap.core.roster import Roster
from procwrap.spec.control import Control
from procwrap.spec.graves import Graves
from procwrap.spec.logs import LogFile, LogSpec
from procwrap.spec.loki import Loki
from procwrap.spec.plan import LivenessRule, Settings
from procwrap.spec.pod import Birth
from procwrap.spec.probe import Check, FileProbe, NotifyProbe
from procwrap.spec.process import Dependency, ProcessSpec, Restart, Stop

API = ProcessSpec("api", "/bin/api")
DB = ProcessSpec("db", "/bin/db")


def changed(**different: Any) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Return what has to begin again, and what can go on, when ``api`` is different."""
    found = compare(Roster([API]), [evolve(API, **different)])
    return dict(found.renewed), dict(found.adjusted)


def test_what_is_new_gone_and_the_same() -> None:
    """Names in the order of the configs."""
    new = ProcessSpec("new", "/bin/new")
    found = compare(Roster([API, DB]), [new, DB])
    assert (found.added, found.removed, found.unchanged) == (("new",), ("api",), 1)
    assert list(found.wanted) == ["new", "db"]
    assert {*found.added, *found.removed, *found.renewed} == {"new", "api"}


def test_an_order_alone_is_no_difference() -> None:
    """Whoever sorts the config restarts nothing."""
    found = compare(Roster([API, DB]), [DB, API])
    assert (found.unchanged, {*found.added, *found.removed, *found.renewed}) == (2, set())


@pytest.mark.parametrize(
    ("different", "key"),
    [
        ({"entrypoint": "/bin/sh"}, "entrypoint"),
        ({"args": ("x",)}, "args"),
        ({"directory": "/"}, "dir"),
        ({"envs": (("a", "b"),)}, "envs"),
        ({"env_file": "/env"}, "envsFile"),
        ({"graves": Graves(name="api")}, "tombstone"),
        ({"birth": Birth(("db",), 30.0)}, "birthDeps"),
    ],
)
def test_what_a_process_is_born_with(different: dict[str, Any], key: str) -> None:
    """It begins again."""
    assert changed(**different) == ({"api": (key,)}, {})


@pytest.mark.parametrize(
    ("different", "key"),
    [
        ({"labels": (("a", "b"),)}, "labels"),
        ({"log": LogSpec(file=LogFile("/log"))}, "logFile"),
        ({"log": LogSpec(max_line_bytes=100)}, "maxLineBytes"),
        ({"restart": Restart(main=True)}, "main"),
        ({"stop": Stop(signal.SIGINT)}, "stopSignal"),
        ({"depends_on": (Dependency("db"),)}, "dependsOn"),
        ({"readiness": Check((FileProbe("/x"),))}, "readiness"),
        ({"memory_limit": 1}, "memoryLimitMB"),
    ],
)
def test_what_can_change_in_a_running_process(different: dict[str, Any], key: str) -> None:
    """It goes on."""
    assert changed(**different) == ({}, {"api": (key,)})


def test_both_are_named() -> None:
    """All keys that are different, where one of them asks for a new beginning."""
    assert changed(args=("x",), labels=(("a", "b"),)) == ({"api": ("args", "labels")}, {})


def test_how_it_says_how_it_is_is_told_at_its_beginning() -> None:
    """A process gets the socket of a notify probe when it begins; what the probe expects may change."""
    notify = Check((NotifyProbe(),))
    assert changed(readiness=notify) == ({"api": ("readiness",)}, {})
    before = Roster([evolve(API, readiness=notify)])
    found = compare(before, [evolve(API, readiness=evolve(notify, failure_threshold=9))])
    assert dict(found.adjusted) == {"api": ("readiness",)}


def test_every_attribute_of_a_process_is_thought_of() -> None:
    """Who adds one has to say what follows when it changes."""
    named = {path.split(".")[0] for path in (*_BORN_WITH, *_ALIVE)} | NO_DIFFERENCE
    assert {attribute.name for attribute in fields(ProcessSpec)} == named
    for part, kind in (("log", LogSpec), ("restart", Restart), ("stop", Stop)):
        inner = {path.partition(".")[2] for path in _ALIVE if path.startswith(f"{part}.")}
        assert {attribute.name for attribute in fields(kind)} == inner


def test_what_concerns_procwrap_itself() -> None:
    """Named by its key; what only the command line and the environment say cannot have changed."""
    before = Settings()
    after = evolve(before, liveness=LivenessRule.STUCK, control=Control(token="new"), graceful_deadline=1.0)
    assert beyond(before, after) == ("shutdown.deadline", "api.token", "health.liveness")
    assert {path.split(".")[0] for path in SETTINGS} <= {attribute.name for attribute in fields(Settings)}


def test_labels_of_all_need_a_restart_only_for_procwraps_own_records() -> None:
    """Those of the processes are theirs; only Loki gets any for procwrap itself."""
    before = Settings(labels=(("a", "b"),))
    assert beyond(before, Settings()) == ()
    loki = Loki("http://x")
    assert beyond(evolve(before, loki=loki), Settings(loki=loki)) == ("logs.labels",)
