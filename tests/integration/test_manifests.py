"""Manifests and pidzero's sample, run for real as they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.hosted import Hosted, free_port

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

EXAMPLES = ROOT / "docs" / "examples"


def run(home: Path, text: str, **settings: bool) -> Hosted:
    """Run a config that is written as it is."""
    config = home / "config.yaml"
    config.write_text(text, "utf-8")
    return Hosted(home, None, ["--config", str(config), "--readiness-file", str(home / "ready")], **settings)


def test_a_deployment_runs_unchanged(tmp_path: Path) -> None:
    """Three containers with probes of every sort, hooks and a config map: up, ready, stopped in order."""
    text = (EXAMPLES / "kubernetes/web.yaml").read_text("utf-8").replace("18180", str(free_port()))
    with run(tmp_path, text, http=True) as hosted:
        hosted.up()
        hosted.until(lambda: "the web server has been started" in hosted.lines("web"))
        hosted.until(lambda: hosted.lines("worker") == ["works on orders for hello orders"])
        assert hosted.get("/readiness")[0] == 200
        assert hosted.end() == 0
        assert "the worker finishes its work" in hosted.lines("worker")
        assert not hosted.said("failed")


def test_a_job_ends_with_its_work(tmp_path: Path) -> None:
    """The sidecar comes first, goes last, and does not keep the Job from ending."""
    with run(
        tmp_path, (EXAMPLES / "kubernetes/job-with-sidecar.yaml").read_text("utf-8"), http=False
    ) as hosted:
        assert hosted.wait() == 0
        said = [record["msg"] for record in hosted.records() if record["name"] in ("report", "shipper")]
        assert sorted(said[:2]) == ["ships", "the report is written"]
        assert "has shipped" in said[2:]


def test_init_containers_run_in_order(tmp_path: Path) -> None:
    """One after the other, each to its end."""
    with run(
        tmp_path, (EXAMPLES / "kubernetes/init-containers.yaml").read_text("utf-8"), http=False
    ) as hosted:
        assert hosted.wait() == 0
        names = ("fetch", "migrate", "app")
        assert [record["msg"] for record in hosted.records() if record["name"] in names] == [
            "fetches",
            "migrates",
            "serves",
        ]


def test_pidzero_as_pidzero_does_it(tmp_path: Path) -> None:
    """Output is thrown away, who is not vital is not restarted, and the end of who is vital is the end."""
    text = (EXAMPLES / "pidzero/config.yaml").read_text("utf-8")
    marker = tmp_path / "end"
    text = text.replace("15000", str(free_port()))
    text = text.replace(
        'while true; do echo "hello 1"; sleep 1; done',
        f"echo hello 1; until test -e {marker}; do sleep 0.05; done; exit 3",
    )
    with run(tmp_path, text, http=False) as hosted:
        hosted.until(lambda: "hello 2" in hosted.out.read_text())
        hosted.until(lambda: "exit code 0 process=test2" in hosted.told())
        marker.touch()
        assert hosted.wait() == 3
        assert "hello 1" not in hosted.out.read_text()
        assert hosted.out.read_text().count("hello 2") == 1


def test_what_is_converted_is_a_good_config() -> None:
    """``procwrap convert | procwrap check`` finds a native config with as many processes."""
    words = [sys.executable, "-m", "procwrap"]
    example = str(EXAMPLES / "kubernetes/web.yaml")
    made = subprocess.run([*words, "convert", example], capture_output=True, cwd=ROOT, check=True)
    assert b"spec.replicas: ignored" in made.stderr
    done = subprocess.run(
        [*words, "check", "-"], input=made.stdout, capture_output=True, cwd=ROOT, check=True
    )
    assert done.stdout == b"stdin: good: native config, 3 processes\n"
