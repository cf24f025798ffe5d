"""SIGHUP and a config that has changed, as docs/reference/reload.md promises; real processes."""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.hosted import Hosted, alive, free_port, process
from tests.support.plans import SERVE, SLOW, serving
from tests.support.procfs import children_of, eventually, zombies_of
from tests.support.reloaded import arguments, descriptors, reload, write

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]


def sleeper(name: str, seconds: int = 600, **settings: Any) -> dict[str, Any]:
    """A process that does nothing, which is told by its command line."""
    return {"name": name, "entrypoint": "/bin/sleep", "args": [str(seconds)], **settings}


def pids(hosted: Hosted, *names: str) -> dict[str, int]:
    """Return the pid of each."""
    return {name: hosted.pid_of(name) for name in names}


def test_of_a_hundred_one_is_restarted(tmp_path: Path) -> None:
    """The other 99 keep their pids, and the log says the difference in one line."""
    names = [f"p{number}" for number in range(100)]
    plan = [sleeper(name) for name in names]
    with Hosted(tmp_path, plan) as hosted:
        before = pids(hosted.up(), *names)
        plan[7] = sleeper("p7", 601)
        assert reload(hosted, plan) == "reloaded: 1 restarted (p7: args), 99 unchanged"
        hosted.until(lambda: len(hosted.pids_of("p7")) == 2)
        after = pids(hosted, *names)
        assert {name for name in names if before[name] != after[name]} == {"p7"}
        assert arguments(after["p7"]) == ["/bin/sleep", "601"]
        assert all(alive(pid) for pid in after.values())
        assert not alive(before["p7"])
        assert hosted.end() == 0


def test_what_is_new_comes_and_what_is_gone_goes(tmp_path: Path) -> None:
    """Added processes start in order of what they need, removed ones are stopped with their grace."""
    with Hosted(tmp_path, [process("a", SERVE), process("b", SLOW)], http=True) as hosted:
        hosted.up().until(lambda: hosted.lines("b") == ["up"])
        kept = hosted.pid_of("a")
        plan = [sleeper("d", dependsOn=["c"]), process("c", SERVE), process("a", SERVE)]
        assert reload(hosted, plan) == "reloaded: 2 added (d, c), 1 removed (b), 1 unchanged"
        assert hosted.lines("b") == ["up", "told", "bye"]
        hosted.until(lambda: hosted.get("/readiness")[0] == 200)
        assert list(hosted.get("/status")[1]) == ["d", "c", "a"]
        assert hosted.get("/pids")[1]["a"] == kept
        text = hosted.get("/metrics")[1]
        assert 'name="b"' not in text
        assert 'name="c"' in text
        assert hosted.get("/heartbeat?name=b", method="POST")[0] == 404
        assert hosted.get("/heartbeat?name=c", method="POST")[0] == 202
        assert hosted.end() == 0


def test_a_label_shows_in_the_next_line(tmp_path: Path) -> None:
    """Without a new pid; so do another log format and a log file."""
    script = 'while read -r line; do echo "$line"; done < fifo'
    os.mkfifo(tmp_path / "fifo")
    with Hosted(tmp_path, [process("a", script, labels={"x": "1"})]) as hosted:
        with open(tmp_path / "fifo", "w", buffering=1) as fifo:
            print("one", file=fifo)
            hosted.until(lambda: hosted.lines("a") == ["one"])
            changed = process("a", script, labels={"x": "2"}, logFile={"path": str(tmp_path / "a.log")})
            assert reload(hosted, [changed]) == "reloaded: 1 adjusted (a: labels logFile), 0 unchanged"
            print("two", file=fifo)
            hosted.until(lambda: hosted.lines("a") == ["one", "two"])
            labels = {record["msg"]: record["x"] for record in hosted.records() if record["name"] == "a"}
            assert labels == {"one": "1", "two": "2"}
            eventually(lambda: (tmp_path / "a.log").exists() and "two" in (tmp_path / "a.log").read_text())
            assert len(hosted.pids_of("a")) == 1
        assert hosted.wait() == 0


def test_another_probe_takes_over_in_a_running_process(tmp_path: Path) -> None:
    """Without a new pid, and without being unhealthy in between."""

    def probed(path: str) -> list[dict[str, Any]]:
        return [process("a", SERVE, readiness={"file": {"path": path}, "period": "50ms", "delay": "0s"})]

    (tmp_path / "one").touch()
    with Hosted(tmp_path, probed(str(tmp_path / "one")), http=True) as hosted:
        pid = hosted.up().pid_of("a")
        (tmp_path / "two").touch()
        assert "1 adjusted (a: readiness)" in reload(hosted, probed(str(tmp_path / "two")))
        (tmp_path / "one").unlink()
        hosted.until(lambda: hosted.get("/status?full")[1]["a"]["checks"])
        assert hosted.get("/readiness")[0] == 200
        (tmp_path / "two").unlink()
        hosted.until(lambda: hosted.get("/readiness")[0] == 503)
        (tmp_path / "two").touch()
        hosted.until(lambda: hosted.get("/readiness")[0] == 200)
        assert hosted.pid_of("a") == pid
        assert hosted.end() == 0


def test_a_wrong_config_changes_nothing(tmp_path: Path) -> None:
    """Each error is a record of its own, with its place."""
    with Hosted(tmp_path, [process("a", SERVE)]) as hosted:
        pid = hosted.up().pid_of("a")
        wrong = '[{"name": "a", "entrypoint": "/bin/sh",\n "agrs": []},\n {"name": "b"}]'
        said = "not reloaded, everything goes on as it was: the config is wrong"
        assert reload(hosted, wrong) == said
        place = str(tmp_path / "config.json")
        problems = [line for line in hosted.lines("procwrap") if line.startswith(place)]
        assert [line.removeprefix(place).split(" ")[0] for line in problems] == [":2:2:", ":3:2:"]
        assert "no-such" not in reload(hosted, "{")
        (tmp_path / "config.json").unlink()
        hosted.signal(signal.SIGHUP)
        hosted.until(lambda: hosted.said("not reloaded: cannot read the config"))
        assert children_of(hosted.process.pid) == [pid]
        assert hosted.end() == 0


def test_what_cannot_be_started_is_said(tmp_path: Path) -> None:
    """It is not undone: the log says which, why, and at which level; the next reload mends it."""
    with Hosted(tmp_path, [process("a", SERVE)]) as hosted:
        hosted.up()
        broken = {"name": "b", "entrypoint": "/no/such/file", "restartPolicy": "never"}
        assert reload(hosted, [process("a", SERVE), broken]) == "reloaded: 1 added (b), 1 unchanged"
        hosted.until(lambda: hosted.said("after the reload: b did not come up: .*no such file"))
        mended = {**broken, "entrypoint": "/bin/sleep", "args": ["600"]}
        said = reload(hosted, [process("a", SERVE), mended])
        assert said == "reloaded: 1 restarted (b: entrypoint args), 1 unchanged"
        assert alive(hosted.pid_of("b"))
        assert hosted.end() == 0


def test_what_only_a_restart_of_procwrap_changes_is_said(tmp_path: Path) -> None:
    """By its key, at level warning."""
    plan = {"processes": [process("a", SERVE)]}
    with Hosted(tmp_path, plan) as hosted:
        hosted.up()
        changed = {**plan, "shutdown": {"deadline": "3s"}, "health": {"liveness": "stuck"}}
        assert reload(hosted, changed) == "reloaded: 1 unchanged"
        hosted.until(lambda: hosted.said("started again .*: shutdown.deadline, health.liveness"))
        assert hosted.end() == 0


def test_a_config_that_is_no_file_cannot_be_reloaded(tmp_path: Path) -> None:
    """The environment variable cannot have changed, and standard input was read."""
    with Hosted(
        tmp_path,
        None,
        options=("--http", "off", "--readiness-file", str(tmp_path / "ready")),
        environment={"CONFIG": '[{"name": "a", "entrypoint": "/bin/sleep", "args": ["600"]}]'},
    ) as hosted:
        hosted.up()
        assert "the environment variable CONFIG" in reload(hosted)
        assert hosted.end() == 0


def test_a_storm_of_reloads(tmp_path: Path) -> None:
    """A hundred at once end in what the config says, in no more than a few reloads."""
    with Hosted(tmp_path, [process("a", SERVE)]) as hosted:
        kept = hosted.up().pid_of("a")
        for number in range(100):
            write(hosted, [process("a", SERVE), sleeper(f"n{number}")])
            hosted.signal(signal.SIGHUP)
        hosted.until(lambda: hosted.said("added .n99"))
        eventually(lambda: len(children_of(hosted.process.pid)) == 2)
        assert kept in children_of(hosted.process.pid)
        assert len(hosted.said("^reloaded")) <= 100
        assert hosted.end() == 0


def test_sigterm_in_the_middle(tmp_path: Path) -> None:
    """The shutdown wins: what was stopped for the reload is not started again."""
    with Hosted(tmp_path, [process("a", SLOW), sleeper("b")]) as hosted:
        hosted.up().until(lambda: hosted.lines("a") == ["up"])
        write(hosted, [process("a", SLOW, envs={"X": "1"}), sleeper("b"), sleeper("c")])
        hosted.signal(signal.SIGHUP)
        hosted.until(lambda: hosted.lines("a") == ["up", "told"])
        assert hosted.end() == 0
        assert hosted.said("not reloaded: procwrap ends in the middle")
        assert (len(hosted.pids_of("a")), hosted.pids_of("c")) == (1, [])


def test_fifty_reloads_in_a_row(tmp_path: Path) -> None:
    """Whatever changes, what runs is what the config says; nothing leaks."""
    rng = random.Random(6)

    def plan() -> list[dict[str, Any]]:
        chosen = sorted(rng.sample(range(8), rng.randint(1, 8)))
        found = [sleeper("always")]
        for index, number in enumerate(chosen):
            more: dict[str, Any] = {"labels": {"x": str(rng.randint(1, 3))}}
            if index and rng.random() < 0.4:
                more["dependsOn"] = [f"p{chosen[index - 1]}"]
            if rng.random() < 0.3:
                more["readiness"] = {"file": {"path": sys.executable}, "period": "100ms", "delay": "0s"}
            found.append(sleeper(f"p{number}", rng.randint(600, 602), **more))
        return found

    def as_asked(asked: list[dict[str, Any]]) -> bool:
        found = sorted(arguments(pid)[1:] for pid in children_of(hosted.process.pid) if alive(pid))
        return found == sorted(spec["args"] for spec in asked)

    with Hosted(tmp_path, [sleeper("always")]) as hosted:
        kept = hosted.up().pid_of("always")
        reload(hosted, plan())
        reload(hosted, [sleeper("always")])
        before = descriptors(hosted)
        for _ in range(50):
            asked = plan()
            assert reload(hosted, asked).startswith("reloaded")
            eventually(lambda asked=asked: as_asked(asked))
        reload(hosted, [sleeper("always")])
        eventually(lambda: children_of(hosted.process.pid) == [kept])
        assert zombies_of(hosted.process.pid) == []
        eventually(lambda: descriptors(hosted) <= before)
        assert not hosted.said("a bug in procwrap")
        assert hosted.end() == 0


def test_a_process_in_the_pause_before_its_restart(tmp_path: Path) -> None:
    """It is started with the new config at once; the pause of the old one is over."""
    slow = {"restartPolicy": "always", "restartBackoff": {"initial": "60s"}}
    with Hosted(tmp_path, [process("a", "exit 1", **slow), process("z", SERVE)]) as hosted:
        hosted.until(lambda: hosted.said("restarts in 60s"))
        changed = [process("a", serving("exit 0"), **slow), process("z", SERVE)]
        assert "1 restarted (a: args)" in reload(hosted, changed)
        hosted.until(lambda: hosted.lines("a") == ["up"])
        assert hosted.end() == 0


def test_a_reload_in_the_middle_of_post_start(tmp_path: Path) -> None:
    """The hook goes on when only the probes are others, and is ended when its process is."""
    (tmp_path / "one").touch()

    def hooked(path: str, *args: str) -> list[dict[str, Any]]:
        hook = {"entrypoint": "/bin/sh", "args": ["-c", "echo begun; sleep 0.7; echo done"]}
        readiness = {"file": {"path": str(tmp_path / path)}, "period": "50ms", "delay": "0s"}
        return [
            process(
                "a", SERVE, readiness=readiness, postStart={"command": hook}, envs=dict.fromkeys(args, "")
            )
        ]

    with Hosted(tmp_path, hooked("one")) as hosted:
        hosted.until(lambda: "begun" in hosted.lines("a"))
        (tmp_path / "two").touch()
        assert "1 adjusted (a: readiness)" in reload(hosted, hooked("two"))
        hosted.up()
        assert [line for line in hosted.lines("a") if line != "up"] == ["begun", "done"]
        assert "1 restarted (a: envs)" in reload(hosted, hooked("two", "X"))
        hosted.until(lambda: hosted.lines("a").count("begun") == 2)
        assert "1 restarted (a: envs)" in reload(hosted, hooked("two", "Y"))
        hosted.until(lambda: hosted.lines("a").count("done") == 2)
        assert hosted.lines("a").count("begun") == 3
        assert hosted.end() == 0


def test_the_first_metrics_to_merge(tmp_path: Path) -> None:
    """A target that comes with a reload is merged from then on, and one that goes is not."""
    (tmp_path / "metrics.txt").write_text("# TYPE a counter\na_total 1\n")
    port = free_port()
    target = {
        **sleeper("served"),
        "entrypoint": sys.executable,
        "args": ["-m", "http.server", str(port), "--bind", "127.0.0.1"],
        "readiness": {"tcp": {"socket": f"127.0.0.1:{port}"}, "period": "50ms", "delay": "0s"},
        "promTarget": f"http://127.0.0.1:{port}/metrics.txt",
    }
    with Hosted(tmp_path, [sleeper("a")], http=True) as hosted:
        hosted.up().until(lambda: hosted.get("/prommerge")[0] == 204)
        reload(hosted, [sleeper("a"), target])
        text = hosted.until(lambda: hosted.get("/prommerge")[1])
        assert 'a_total{process_name="served"} 1' in text
        assert 'procwrap_prommerge_target_up{process_name="served"} 1' in hosted.get("/metrics")[1]
        reload(hosted, [sleeper("a")])
        assert hosted.get("/prommerge")[0] == 204
        assert hosted.end() == 0
