"""Every type of probe has a page, and every page an example that runs as it is shown."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from procwrap.probes.kinds import KINDS
from procwrap.spec.probe import PluginProbe
from tests.support.checkout import ROOT
from tests.support.hosted import Hosted, free_port

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

PAGES = ROOT / "docs" / "reference" / "probes"
EXAMPLES = ROOT / "docs" / "examples" / "probes"
TYPES = sorted(name.split(".")[2] for spec, name in KINDS.items() if spec is not PluginProbe)
"""Their modules are called as their pages are: the key of the config in small letters."""
ALONE = ("env", "exec", "file", "floatingpid", "heartbeat", "http", "tcp")
"""Those whose examples need nothing but procwrap; the others are run where their servers are."""


def key_of(kind: str) -> str:
    """The key of a type in the config."""
    return {"floatingpid": "floatingPid", "heartbeat": "heartBeat"}.get(kind, kind)


def probes_of(config: Any) -> set[str]:
    """The keys of all probes in a config."""
    processes = config["processes"] if isinstance(config, Mapping) else config
    checks = [
        check
        for each in processes
        for name in ("readiness", "liveness", "startup")
        if (check := each.get(name))
    ]
    return {key for check in checks for key in check}


def test_the_types_are_those_of_the_table() -> None:
    """The list above follows the code, and none has been forgotten."""
    assert len(TYPES) == len(KINDS) - 1
    assert set(ALONE) < set(TYPES)


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_has_a_page(kind: str) -> None:
    """With its settings, when it succeeds, how it fails, and its example; and the index leads to it."""
    page = (PAGES / f"{kind}.md").read_text("utf-8")
    assert page.startswith(f"# {key_of(kind)}\n")
    assert f"examples/probes/{kind}.yaml" in page
    assert re.search(r"^## When it succeeds", page, re.MULTILINE)
    assert re.search(r"^## What a failure looks like", page, re.MULTILINE)
    assert "| key | default | meaning |" in page
    assert f"[`{key_of(kind)}`]({kind}.md)" in (PAGES / "index.md").read_text("utf-8")


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_is_shown_checked_and_run(example: Path) -> None:
    """No example is forgotten: a page shows it, procwrap accepts it, and a test runs it."""
    pages = [page.read_text("utf-8") for page in PAGES.glob("*.md")]
    assert any(f"examples/probes/{example.name}" in page for page in pages)
    command = [sys.executable, "-m", "procwrap", "check", str(example)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert key_of(example.stem.split("-")[0]) in probes_of(yaml.safe_load(example.read_text("utf-8")))
    tests = [path.read_text("utf-8") for path in (ROOT / "tests" / "integration").glob("*_probe.py")]
    assert example.stem in ALONE or any(f'"{example.name}"' in test for test in tests)


@pytest.mark.parametrize("kind", ALONE)
def test_an_example_becomes_ready(kind: str, tmp_path: Path) -> None:
    """As it is shown, but for ports, paths, and the patience of a reader."""
    text = (EXAMPLES / f"{kind}.yaml").read_text("utf-8")
    for port in ("18080", "18111"):
        text = text.replace(port, str(free_port()))
    text = text.replace("/tmp/example", f"{tmp_path}/example").replace("dir: /tmp\n", f"dir: {tmp_path}\n")
    config = tmp_path / "config.yaml"
    config.write_text(text, "utf-8")
    ready = tmp_path / "ready"
    served = "on" if kind == "heartbeat" else "off"
    options = ["--config", str(config), "--readiness-file", str(ready), "--http", served]
    with Hosted(tmp_path, None, options) as hosted:
        hosted.until(ready.exists)
        assert hosted.end() == 0
        assert [record for record in hosted.records() if record["level"] == "error"] == []
