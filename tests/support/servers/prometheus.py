"""A real Prometheus with its own directory and port."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml
from attrs import frozen

from tests.support.checkout import ROOT
from tests.support.hosted import PATIENCE, free_port

PAGE = (ROOT / "docs" / "howto" / "scrape-with-prometheus.md").read_text("utf-8")
SHOWN = re.findall(r"^```yaml\n(scrape_configs:\n.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
"""The configs that the docs show, that for Kubernetes first."""

DISCOVERY = "kubernetes_sd_configs: [{role: pod}]"
"""What Debian's Prometheus is built without."""


@frozen
class Scraped:
    """Something to scrape, with the labels that Kubernetes would give it, relabeled as in the docs."""

    port: int
    pod: str
    path: str = "/metrics"
    job: str = "procwrap"
    namespace: str = "shop"

    def config(self) -> Mapping[str, Any]:
        """Return a scrape config."""
        meta = {
            "namespace": self.namespace,
            "pod_name": self.pod,
            "pod_phase": "Running",
            "pod_annotation_prometheus_io_scrape": "true",
            "pod_annotation_prometheus_io_port": str(self.port),
        }
        labels = {f"__meta_kubernetes_{name}": value for name, value in meta.items()}
        relabeling = yaml.safe_load(SHOWN[0])["scrape_configs"][0]["relabel_configs"]
        return {
            "job_name": f"{self.job} {self.pod} {self.path}",
            "metrics_path": self.path,
            "static_configs": [{"targets": ["127.0.0.1:80"], "labels": labels}],
            "relabel_configs": [*relabeling, {"target_label": "job", "replacement": self.job}],
        }


class Prometheus:
    """One server; a context manager that waits until it answers and leaves nothing running.

    Args:
        home: an empty directory of its own.
        scraped: what it scrapes, every ``interval``.
        rules: a file of rules, which are evaluated as often.
    """

    def __init__(
        self, home: Path, scraped: Sequence[Scraped], rules: Path | None = None, interval: str = "500ms"
    ) -> None:
        self._home = home
        self._port = free_port()
        config = {
            "global": {
                "scrape_interval": interval,
                "scrape_timeout": interval,
                "evaluation_interval": interval,
            },
            "rule_files": [] if rules is None else [str(rules)],
            "scrape_configs": [each.config() for each in scraped],
        }
        # JSON is YAML.
        (home / "prometheus.yml").write_text(json.dumps(config))

    def __enter__(self) -> Prometheus:
        words = [
            program("prometheus"),
            f"--config.file={self._home / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._home / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
        ]
        with open(self._home / "prometheus.log", "wb") as log:
            # One core is enough, and the others are needed by what is scraped.
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, "GOMAXPROCS": "1"}
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            told = (self._home / "prometheus.log").read_text()
            assert self._process.poll() is None, told
            assert time.monotonic() < deadline, f"Prometheus does not answer:\n{told}"
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # There is nothing in it that should be kept.
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        with (
            contextlib.suppress(OSError),
            urlopen(f"http://127.0.0.1:{self._port}/-/ready", timeout=5) as ready,
        ):
            return int(ready.status) == 200
        return False

    def api(self, path: str, **asked: str | Sequence[str]) -> Any:
        """Ask its HTTP API; return ``data`` of the answer.

        Raises:
            ValueError: it does not like what was asked.
        """
        url = f"http://127.0.0.1:{self._port}/api/v1/{path}?{urlencode(asked, doseq=True)}"
        try:
            with urlopen(url, timeout=PATIENCE) as answer:
                return json.load(answer)["data"]
        except HTTPError as error:
            with error:
                raise ValueError(json.load(error)["error"]) from error

    def ask(self, expression: str) -> list[Any]:
        """Return the series that an expression has now."""
        return list(self.api("query", query=expression)["result"])

    def over_time(self, expression: str, start: float, end: float, step: float) -> list[Any]:
        """Return the series that an expression had; times are seconds since the epoch."""
        asked = {"query": expression, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:.3f}"}
        return list(self.api("query_range", **asked)["result"])


def program(name: str) -> str:
    """The path of ``prometheus`` or ``promtool``; fails with what to install."""
    found = shutil.which(name)
    assert found, f"{name} is not installed: apt-get install prometheus"
    return found


def promtool(*words: str | Path) -> str:
    """Run promtool, which has to succeed, and return what it says."""
    done = subprocess.run([program("promtool"), *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
