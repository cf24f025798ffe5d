"""The example that the README opens with, run as the README says."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.hosted import Hosted, alive, free_port

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

QUICKSTART = ROOT / "docs" / "examples" / "quickstart.yaml"


@pytest.fixture
def quickstart(tmp_path: Path) -> Iterator[Hosted]:
    """The quickstart on ports of its own, with its worker at work."""
    config = tmp_path / "quickstart.yaml"
    config.write_text(QUICKSTART.read_text("utf-8").replace("18080", str(free_port())), "utf-8")
    options = ["--config", str(config), "--readiness-file", str(tmp_path / "ready")]
    with Hosted(tmp_path, None, options, http=True) as hosted:
        hosted.until(lambda: hosted.said("fetched the page", name="worker"))
        yield hosted


def test_a_reader_sees_what_the_readme_promises(quickstart: Hosted) -> None:
    """All three run, labels and a child's own fields are kept, and /readiness is 200 once all is well."""
    assert quickstart.get("/readiness?wait=30s")[0] == 200
    assert set(quickstart.get("/pids")[1]) == {"web", "worker", "flaky"}
    seen = {record["name"]: record for record in quickstart.records()}
    assert seen["web"].items() >= {("out", "stderr"), ("team", "front")}
    assert seen["worker"].items() >= {("out", "stdout"), ("level", "info"), ("status", "200")}


def test_the_one_that_crashes_is_seen_and_started_again(quickstart: Hosted) -> None:
    """A crash makes /readiness 503 with the name of the cause, and the process comes back by itself."""
    quickstart.until(lambda: quickstart.get("/readiness")[0] == 503)
    assert quickstart.get("/readiness")[1]["processes"]["flaky"]["reason"] == "exit code 3"
    assert quickstart.get("/readiness?wait=10s")[0] == 200
    crash, *_ = [record for record in quickstart.records() if "out of luck" in record["msg"]]
    assert (crash["name"], crash["level"], crash["out"]) == ("flaky", "error", "stderr")
    # HTTP may answer before the record has reached the file.
    quickstart.until(lambda: len(quickstart.pids_of("flaky")) == 2)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_ends_when_told(quickstart: Hosted, number: signal.Signals, status: int) -> None:
    """A container's SIGTERM ends it with 0, Ctrl-C with 130, and none of its processes stays."""
    pids = quickstart.get("/pids")[1].values()
    assert quickstart.end(number) == status
    assert [pid for pid in pids if alive(pid)] == []
