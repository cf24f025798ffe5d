"""The tutorial, step by step: its commands are run as they stand there, and print what stands below them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from attrs import field, frozen

from tests.support.checkout import ROOT
from tests.support.hosted import PATIENCE, Hosted, free_port

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

PAGES = ("second-process", "operate", "in-a-pod")
PATIENT = re.compile(r"curl |procwrap (status|logs|events)")
"""What a reader may do once more, since it only shows how things are."""


@frozen
class Step:
    """A command with what it prints; without a command, what procwrap itself has printed meanwhile."""

    command: str
    printed: list[str] = field(factory=list)


def steps(page: str) -> Iterator[Step]:
    """The steps of a page, in order."""
    text = (ROOT / "docs" / "tutorial" / f"{page}.md").read_text("utf-8")
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        step = Step("")
        for line in block.splitlines():
            if line.startswith("$ "):
                if step.command or step.printed:
                    yield step
                step = Step(line[2:])
            else:
                step.printed.append(line)
        yield step


def alike(text: str) -> list[str]:
    """The lines of an output without what differs each time: numbers, dates, how wide a column is."""
    text = re.sub(r"\[[^]]*/\d{4} [^]]*\]", "[date]", text)
    text = re.sub(r"\d+(\.\d+)?", "0", text)
    text = re.sub(r"\b(0[hm])?0(s|m|ms)\b", "0s", text)
    text = re.sub(r"(?<= )(-|0%|0[KMG]iB)(?= |$)", "some", text)
    return [" ".join(line.split()) for line in text.splitlines()]


class Reader:
    """Somebody who does what the tutorial says, with files and ports of their own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.hosted: Hosted | None = None
        self.ports = {"8111": str(free_port()), "18080": str(free_port())}
        self.environment = {
            "PATH": f"{home}/bin:{os.environ['PATH']}",
            "PROCWRAP_CONTROL_SOCKET": f"{home}/control.sock",
            "PROCWRAP_READINESS_FILE": f"{home}/ready",
            "PYTHONPATH": str(ROOT),
        }
        (home / "bin").mkdir()
        command = home / "bin" / "procwrap"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m procwrap "$@"\n')
        command.chmod(0o755)
        for example in ROOT.glob("docs/examples/*/*.yaml"):
            copy = home / example.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            # And with less patience, though enough for a busy machine.
            text = example.read_text("utf-8").replace("sleep 1;", "sleep 0.3;").replace(" 1s\n", " 600ms\n")
            copy.write_text(self.own(text), "utf-8")

    def own(self, text: str) -> str:
        """A text with the reader's own ports and files."""
        for port, other in self.ports.items():
            text = re.sub(rf"\b{port}\b", other, text)
        return text.replace("/tmp/", f"{self.home}/")

    def does(self, step: Step) -> None:
        """Do a step; what it prints has to look like what stands below it."""
        expected = alike(self.own("\n".join(step.printed)))
        if step.command.startswith("procwrap --config "):
            options = self.own(step.command).split()[1:]
            self.hosted = Hosted(self.home, None, options, self.environment)
        if not step.command or step.command.startswith("procwrap --config "):
            assert self.hosted is not None
            self.hosted.until(lambda: self._logged(expected))
        else:
            deadline = time.monotonic() + (PATIENCE if PATIENT.match(step.command) else 0)
            while (printed := self._prints(step.command)) != expected and time.monotonic() < deadline:
                time.sleep(0.1)
            assert printed == expected, step.command

    def _prints(self, command: str) -> list[str]:
        silent = "-f " in command
        done = subprocess.run(
            ["timeout", "1", "sh", "-c", f"exec {self.own(command)}"]
            if silent
            else ["sh", "-c", self.own(command)],
            cwd=self.home,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if command.startswith("curl") else subprocess.STDOUT,
            text=True,
        )
        return alike(done.stdout)

    def _logged(self, expected: list[str]) -> bool:
        """Whether the log has these lines, in this order, others between them or not."""
        assert self.hosted is not None
        found = iter(alike(self.hosted.out.read_text("utf-8")))
        return all(line in found for line in expected)


def test_the_steps_of_the_tutorial(tmp_path: Path) -> None:
    """From the first page to the last, with one procwrap that goes on running."""
    reader = Reader(tmp_path)
    done = [step for page in PAGES for step in steps(page)]
    assert len(done) > 20
    try:
        for step in done:
            reader.does(step)
        assert reader.hosted is not None
        assert reader.hosted.end() == 0
    finally:
        if reader.hosted is not None:
            reader.hosted.__exit__()


def test_the_pod_runs_what_was_tried(tmp_path: Path) -> None:
    """Its ConfigMap holds the tutorial's config but for two lines that the page names; its probes answer."""
    folder = ROOT / "docs" / "examples" / "tutorial"
    config_map, pod = yaml.safe_load_all((folder / "pod.yaml").read_text("utf-8"))
    tried = yaml.safe_load((folder / "shop.yaml").read_text("utf-8"))
    config = yaml.safe_load(config_map["data"]["shop.yaml"])
    assert config == {"processes": tried["processes"], "health": {"liveness": "stuck"}}
    (container,) = pod["spec"]["containers"]
    mount = container["volumeMounts"][0]["mountPath"]
    assert container["args"] == ["--config", f"{mount}/shop.yaml"]
    text = config_map["data"]["shop.yaml"].replace("18080", str(free_port())).replace("/tmp/", f"{tmp_path}/")
    (tmp_path / "shop.yaml").write_text(text, "utf-8")
    options = ["--config", str(tmp_path / "shop.yaml"), "--readiness-file", str(tmp_path / "ready")]
    with Hosted(tmp_path, None, options, http=True) as hosted:
        hosted.up()
        for probe in ("readinessProbe", "livenessProbe"):
            assert hosted.get(container[probe]["httpGet"]["path"])[0] == 200
        assert hosted.end() == 0
