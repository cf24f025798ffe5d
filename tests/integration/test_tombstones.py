"""Tombstones as kubexit keeps them, between real procwraps."""

from __future__ import annotations

import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.hosted import ROOT, Hosted, process
from tests.support.plans import STUBBORN
from tests.support.reloaded import reload

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

FOREVER = "sleep 1000"


def kubexit(home: Path, yard: Path, name: str, script: str, deps: str = "", **variables: str) -> Hosted:
    """Wrap a command as a container with kubexit's variables would."""
    home = home / f"home of {name.strip()}"
    home.mkdir()
    environment = {
        "KUBEXIT_NAME": name,
        "KUBEXIT_GRAVEYARD": str(yard),
        "KUBEXIT_DEATH_DEPS": deps,
        **variables,
    }
    return Hosted(home, None, ["--", "/bin/sh", "-c", script], environment)


def bury(yard: Path, name: str, when: str | None = None) -> None:
    """Write the tombstone of somebody who has died, as kubexit writes it: in place."""
    died = when or datetime.now(UTC).isoformat()
    (yard / name).write_text(f'Born: "2020-04-28T00:00:00Z"\nDied: "{died}"\nExitCode: 3\n', encoding="ascii")


def stone(yard: Path, name: str) -> dict[str, Any]:
    """Read a tombstone as a YAML parser does."""
    try:
        found: dict[str, Any] = yaml.safe_load((yard / name).read_text(encoding="ascii"))
    except FileNotFoundError:
        return {}
    return found


def test_romeo_and_juliet(tmp_path: Path) -> None:
    """When the one dies the other is stopped, and each writes down when, and with which code."""
    yard = tmp_path / "yard"
    with kubexit(tmp_path, yard, "juliet", FOREVER, " romeo , nobody") as juliet:
        juliet.until(lambda: stone(yard, "juliet"))
        assert set(stone(yard, "juliet")) == {"Born"}
        with kubexit(tmp_path, yard, "romeo", "exit 7") as romeo:
            assert romeo.wait() == 7
        assert juliet.wait() == 143
    assert stone(yard, "romeo")["ExitCode"] == 7
    ended = stone(yard, "juliet")
    assert (ended["ExitCode"], ended["Born"] < ended["Died"]) == (143, True)
    assert sorted(os.listdir(yard)) == ["juliet", "romeo"]


def test_who_was_dead_before(tmp_path: Path) -> None:
    """A death that nobody watched counts as well."""
    bury(tmp_path, "romeo")
    with kubexit(tmp_path, tmp_path, " juliet ", FOREVER, "romeo") as juliet:
        assert juliet.wait() == 143
    assert stone(tmp_path, "juliet")["ExitCode"] == 143


def test_a_death_of_long_ago_counts_no_more(tmp_path: Path) -> None:
    """The graveyard outlived the Pod; and who was reborn since is alive."""
    bury(tmp_path, "romeo", "2001-01-01T00:00:00Z")
    with kubexit(tmp_path, tmp_path, "juliet", "sleep 0.7", "romeo") as juliet:
        assert juliet.wait() == 0
    bury(tmp_path, "romeo")
    (tmp_path / "romeo").write_text('Born: "2026-11-22T00:00:00Z"\n', encoding="ascii")
    with kubexit(tmp_path, tmp_path, "nurse", "sleep 0.7", "romeo") as nurse:
        assert nurse.wait() == 0


def test_half_a_tombstone(tmp_path: Path) -> None:
    """Only when it can be read has anybody died."""
    (tmp_path / "romeo").write_text('Born: "2026-11-22T00:00:00Z"\nDied: "20', encoding="ascii")
    with kubexit(tmp_path, tmp_path, "juliet", FOREVER, "romeo") as juliet:
        juliet.until(lambda: stone(tmp_path, "juliet"))
        time.sleep(0.3)
        assert juliet.process.poll() is None
        bury(tmp_path, "romeo")
        assert juliet.wait() == 143


def test_a_graveyard_that_is_moved_away(tmp_path: Path) -> None:
    """It is made anew and watched again, whether it was deleted or renamed."""
    yard = tmp_path / "yard"
    with kubexit(tmp_path, yard, "juliet", FOREVER, "romeo") as juliet:
        juliet.until(lambda: stone(yard, "juliet"))
        shutil.rmtree(yard)
        juliet.until(yard.exists)
        yard.rename(tmp_path / "old")
        juliet.until(yard.exists)
        bury(yard, "romeo")
        assert juliet.wait() == 143


def test_a_crowd_of_others(tmp_path: Path) -> None:
    """More changes than the kernel queues, and the one that matters among them."""
    with kubexit(tmp_path, tmp_path, "juliet", FOREVER, "romeo") as juliet:
        juliet.until(lambda: stone(tmp_path, "juliet"))
        for number in range(20_000):
            (tmp_path / f"other-{number % 50}").write_bytes(b"x")
            if number == 10_000:
                bury(tmp_path, "romeo")
        assert juliet.wait() == 143


def test_who_does_not_want_to_die(tmp_path: Path) -> None:
    """SIGKILL after KUBEXIT_GRACE_PERIOD; the code says so."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        "KUBEXIT_DEATH_DEPS": "romeo",
        "KUBEXIT_GRAVEYARD": str(tmp_path),
        "KUBEXIT_GRACE_PERIOD": "300ms",
    }
    with Hosted(home, None, ["--", "/bin/sh", "-c", STUBBORN], environment) as stubborn:
        stubborn.until(lambda: "up" in stubborn.out.read_text())
        bury(tmp_path, "romeo")
        assert stubborn.wait() == 137


def test_what_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """A graveyard that is a file: a word in the log, and the command runs."""
    yard = tmp_path / "yard"
    yard.write_text("", encoding="ascii")
    plan = [process("api", "echo works; sleep 0.2", tombstone={"graveyard": str(yard)})]
    with Hosted(tmp_path, plan) as hosted:
        assert hosted.wait() == 0
        assert hosted.lines("api") == ["works"]
        assert hosted.said("cannot write the tombstone of api: .* others will not see its end")


def test_the_example(tmp_path: Path) -> None:
    """It is the one in the documentation: the proxy ends with the job, and that is the end of all."""
    text = (ROOT / "docs/examples/tombstones.yaml").read_text(encoding="utf-8")
    plan = yaml.safe_load(text.replace("/tmp/graveyard", str(tmp_path / "yard")))
    with Hosted(tmp_path, plan) as hosted:
        assert hosted.wait() == 0
        assert hosted.lines("job") == ["working", "done"]
        assert hosted.said("job has died with exit code 0, which proxy depends on: stopping it")
    assert stone(tmp_path / "yard", "proxy")["ExitCode"] == 143


def test_a_reload_with_tombstones(tmp_path: Path) -> None:
    """They come and go with a reload, and so do those whose deaths matter; a restart by order is no death."""
    yard = tmp_path / "yard"

    def mourner(*names: str) -> dict[str, Any]:
        own = {"graveyard": str(yard), "name": "juliet"}
        return process("proxy", FOREVER, tombstone=own, deathDeps=list(names))

    other = process("other", FOREVER)
    with Hosted(tmp_path, [other], http=True) as hosted:
        hosted.up().until(lambda: hosted.get("/ping")[0] == 200)
        assert reload(hosted, [other, mourner("romeo")]) == "reloaded: 1 added (proxy), 1 unchanged"
        born = hosted.until(lambda: stone(yard, "juliet"))
        assert set(born) == {"Born"}
        assert hosted.operate("POST", "/api/processes/proxy/restart")[0] == 200
        assert set(stone(yard, "juliet")) == {"Born"}
        assert "1 restarted (proxy: deathDeps)" in reload(hosted, [other, mourner("paris")])
        hosted.until(lambda: stone(yard, "juliet").get("Born", born["Born"]) != born["Born"])
        bury(yard, "romeo")
        time.sleep(0.2)
        assert not hosted.said("romeo has died")
        bury(yard, "paris")
        hosted.until(lambda: stone(yard, "juliet").get("ExitCode") == 143)
        third = process("third", FOREVER)
        assert "1 added (third), 2 removed (other, proxy)" in reload(hosted, [third])
        hosted.pid_of("third")
        assert not hosted.said("no process is left")
        assert hosted.end() == 0
