"""procwrap asked whatever its own description of the API allows, by schemathesis."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.support.hosted import Hosted, process

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(find_spec("schemathesis") is None, reason="schemathesis is not installed"),
]

TOKEN = "s3cret-of-the-tests"
NAMES = ["api", "db"]
WITHOUT = (
    # 500 is in no answer that is described, 503 is where it means something.
    "not_a_server_error",
    # Unknown arguments are ignored, as everywhere on the web.
    "negative_data_rejection",
    "positive_data_acceptance",
    "missing_required_header",
)


def askable(described: Any) -> Any:
    """Leave out what has no end or takes its time, and name processes that there are."""
    del described["paths"]["/live"]
    for methods in described["paths"].values():
        for operation in methods.values():
            operation["parameters"] = [one for one in operation["parameters"] if one["name"] != "follow"]
            for one in operation["parameters"]:
                if one["name"] == "wait":
                    one["schema"] = {"enum": ["10ms", "0s"]}
                elif one["name"] == "name":
                    one["schema"] = {"anyOf": [{"enum": NAMES}, one["schema"]]}
    return described


def test_answers_are_as_described(tmp_path: Path) -> None:
    """Whatever is asked, by whichever method, has an answer of the described kind, code and shape."""
    plan = [process(name, "exec sleep 1000", restartPolicy="always", stopTimeout="1s") for name in NAMES]
    with Hosted(tmp_path, plan, http=True, environment={"PROCWRAP_API_TOKEN": TOKEN}) as host:
        asked = askable(host.up().get("/api/openapi.json")[1])
        described = tmp_path / "openapi.json"
        described.write_text(json.dumps(asked))
        command = [
            *(str(Path(sys.executable).with_name("schemathesis")), "run", str(described)),
            *("--url", f"http://127.0.0.1:{host.port}", "--header", f"Authorization: Bearer {TOKEN}"),
            *("--phases", "coverage,fuzzing", "--max-examples", "3", "--seed", "1", "--continue-on-failure"),
            *(
                "--exclude-checks",
                ",".join(WITHOUT),
                "--request-timeout",
                "20",
                "--suppress-health-check",
                "all",
            ),
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{done.stdout[-8000:]}{host.told()}"
        assert f"Tested: {sum(map(len, asked['paths'].values()))}" in done.stdout
        assert host.get("/ping")[0] == 200
