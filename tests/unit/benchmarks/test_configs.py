from __future__ import annotations

import configparser
from pathlib import Path

import pytest
import yaml

from tests.benchmarks.programs.circus import circus_ini
from tests.benchmarks.programs.custom import Custom
from tests.benchmarks.programs.native import native_yaml
from tests.benchmarks.programs.probing import AsyncProber, ProbingProcwrap
from tests.benchmarks.programs.procwrap import Procwrap, ProcwrapWrapping
from tests.benchmarks.programs.program import Child, Place
from tests.benchmarks.programs.small import S6Log
from tests.benchmarks.programs.supervisord import supervisord_conf
from tests.support.configs import plan_of

CHILDREN = [Child("child0", ("/bin/idle", "/tmp/a b")), Child("child1", ("/bin/idle", "100%"))]


def test_native_config_is_the_plain_list() -> None:
    """Every child keeps its words, whatever is in them, and is restarted without delay after a second."""
    first, second = yaml.safe_load(native_yaml(CHILDREN, {"logFormat": "free"}))
    assert first == {
        "name": "child0",
        "entrypoint": "/bin/idle",
        "args": ["/tmp/a b"],
        "restartPolicy": "always",
        "restartBackoff": {"initial": "1s", "max": "60s", "reset": "1s"},
        "logFormat": "free",
    }
    assert second["args"] == ["100%"]


def test_supervisord_has_one_program_a_child_in_one_group() -> None:
    """All are stopped at once, and a percent sign is not taken for an expansion."""
    conf = configparser.RawConfigParser()
    conf.read_string(supervisord_conf(Path("/run/x"), CHILDREN))
    assert conf["program:child0"]["command"] == "/bin/idle '/tmp/a b'"
    assert conf["program:child1"]["command"] == "/bin/idle 100%%"
    assert conf["group:children"]["programs"] == "child0,child1"
    assert conf["unix_http_server"]["file"] == "/run/x/supervisord.sock"


def test_circus_has_one_watcher_a_child() -> None:
    """It passes the output on, too, and starts no statistics helper."""
    ini = configparser.RawConfigParser()
    ini.read_string(circus_ini(Path("/run/x"), CHILDREN))
    assert ini["watcher:child0"]["cmd"] == "/bin/idle '/tmp/a b'"
    assert ini["watcher:child1"]["stdout_stream.class"] == "StdoutStream"
    assert "stats_endpoint" not in ini["circus"]


def test_procwrap_serves_http_on_the_port_of_its_place(tmp_path: Path) -> None:
    """Two starts never fight for the default port, nor for /tmp/started."""
    launch = Procwrap().launch(Place(tmp_path, 12345), CHILDREN)
    assert launch.environ["HEALTH_SOCKET"] == "127.0.0.1:12345"
    assert launch.argv[-4:] == (
        "--config",
        str(tmp_path / "processes.yaml"),
        "--readiness-file",
        str(tmp_path / "started"),
    )


def test_wrapping_procwrap_gets_the_command_and_no_http(tmp_path: Path) -> None:
    """It is measured against tini, which serves none either."""
    launch = ProcwrapWrapping().launch(Place(tmp_path, 12345), CHILDREN[:1])
    assert launch.argv[-3:] == ("--", "/bin/idle", "/tmp/a b")
    assert "HEALTH_SOCKET" not in launch.environ


@pytest.mark.parametrize("kind", ["tcp", "http"])
def test_every_child_gets_a_probe(tmp_path: Path, kind: str) -> None:
    """The config is one that procwrap takes, with a probe a second in each process; asyncio does as many."""
    place = Place(tmp_path, 12345)
    ProbingProcwrap().looking(kind, 8080).launch(place, CHILDREN)
    plan = plan_of((tmp_path / "processes.yaml").read_bytes())
    checks = [each.readiness for each in plan.processes if each.readiness is not None]
    assert [(check.delay, check.period, len(check.probes)) for check in checks] == [(0.0, 1.0, 1)] * 2
    argv = AsyncProber().looking(kind, 8080).launch(place, CHILDREN).argv
    assert argv[-3:] == (kind, "8080", "2")


def test_without_a_probe_nothing_is_configured(tmp_path: Path) -> None:
    """What is taken off is the cost of the same processes without checks."""
    ProbingProcwrap().looking("none", 8080).launch(Place(tmp_path, 12345), CHILDREN)
    assert "readiness" not in yaml.safe_load((tmp_path / "processes.yaml").read_text())[0]


def test_s6_log_is_one_end_of_a_pipe(tmp_path: Path) -> None:
    """The shell that joins the two quotes the child's words."""
    argv = S6Log("T").launch(Place(tmp_path, 1), CHILDREN[:1]).argv
    assert argv == ("/bin/sh", "-c", "/bin/idle '/tmp/a b' | exec s6-log T 1")


def test_a_custom_host_gets_the_config_where_it_says(tmp_path: Path) -> None:
    """``{config}`` and ``{port}`` are filled in, and the program is asked for its readiness."""
    custom = Custom.parse("old=/opt/old/procwrap -config={config} --port {port}")
    launch = custom.launch(Place(tmp_path, 80), CHILDREN)
    assert launch.argv == ("/opt/old/procwrap", f"-config={tmp_path / 'processes.yaml'}", "--port", "80")
    assert len(yaml.safe_load((tmp_path / "processes.yaml").read_text())) == 2
    assert custom.serves_readiness


def test_a_custom_wrapper_gets_the_words_of_the_child(tmp_path: Path) -> None:
    """``{child}`` makes a program that runs one child and serves nothing."""
    custom = Custom.parse("dumb=dumb-init {child}")
    assert custom.launch(Place(tmp_path, 80), CHILDREN[:1]).argv == ("dumb-init", "/bin/idle", "/tmp/a b")
    assert (custom.most_children, custom.serves_readiness) == (1, False)


def test_a_custom_command_without_a_mark_gets_the_option() -> None:
    """``--peer old=/opt/old/procwrap`` is enough for a procwrap of another version."""
    assert Custom.parse("old=/opt/old/procwrap").words == ("/opt/old/procwrap", "--config", "{config}")


@pytest.mark.parametrize("text", ["", "name", "name=", "=command"])
def test_a_peer_without_name_or_command_is_refused(text: str) -> None:
    """The message shows what was given."""
    with pytest.raises(ValueError, match="expected NAME=COMMAND"):
        Custom.parse(text)
