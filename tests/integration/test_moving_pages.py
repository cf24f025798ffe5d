"""The configs of the pages about moving here from elsewhere, run for real."""

from __future__ import annotations

import json
import os
import pwd
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.support.checkout import ROOT
from tests.support.hosted import Hosted, alive, free_port

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

EXAMPLES = ROOT / "docs" / "examples" / "moving"


def example(name: str, home: Path, *, port: str) -> str:
    """An example on a port and with files of its own."""
    text = (EXAMPLES / name).read_text("utf-8")
    assert port in text
    return text.replace(port, str(free_port())).replace("/var/log", str(home))


def hosted(home: Path, text: str, **environment: str) -> Hosted:
    """Run it with the options of process-wrapper, which are procwrap's too."""
    config = home / "app.yaml"
    config.write_text(text, "utf-8")
    options = ["-config", str(config), "-readiness-file", str(home / "ready")]
    return Hosted(home, None, options, environment, http=True)


def command(path: Path, line: str) -> None:
    """Make a command of one line for the shell."""
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def test_every_example_is_shown() -> None:
    """A page shows each of them."""
    pages = "".join(path.read_text("utf-8") for path in (ROOT / "docs/howto").glob("move-from-*.md"))
    assert [path.name for path in EXAMPLES.iterdir() if f"examples/moving/{path.name}" not in pages] == []


def test_what_was_supervisords(tmp_path: Path) -> None:
    """The migration comes first, the web server is ready before the workers come, and a crash is mended."""
    text = example("supervisord.yaml", tmp_path, port="18081")
    text = text.replace("/usr/bin/python3", sys.executable)
    text = text.replace("www-data", pwd.getpwuid(os.geteuid()).pw_name)
    command(tmp_path / "procwrap", f'exec {sys.executable} -m procwrap "$@"')
    command(tmp_path / "crashmail", 'while read -r event; do echo "mail: $event"; done')
    text = text.replace("/usr/local/bin", str(tmp_path))
    with hosted(tmp_path, text, PATH=f"{tmp_path}:{os.environ['PATH']}") as host:
        host.up()
        host.until(lambda: len(host.said(" at work", name="worker_1")) == 1)
        said = [record["msg"] for record in host.records() if record["name"].startswith(("migr", "work"))]
        workers = ["worker 0 at work", "worker 1 at work"]
        assert (said[0], sorted(said[1:])) == ("the tables of shop are made", workers)
        before = host.get("/pids")[1]
        os.kill(before["worker_1"], signal.SIGKILL)
        host.until(lambda: len(host.said(" at work", name="worker_1")) == 2)
        assert host.get("/pids")[1].items() >= {"web": before["web"], "worker_0": before["worker_0"]}.items()
        (mail,) = host.until(lambda: host.lines("mail"))
        assert json.loads(mail.removeprefix("mail: "))["process"] == "worker_1"
        assert host.end() == 0
    kept = (tmp_path / "web.log").read_text("utf-8")
    assert re.search("GET / HTTP/1.1.* name=web out=stderr .*group=shop", kept)


@pytest.mark.parametrize("name", ["process-wrapper.yaml", "from-process-wrapper.yaml"])
def test_what_was_process_wrappers(name: str, tmp_path: Path) -> None:
    """Its list runs as it is; so does what the page makes of it."""
    with hosted(tmp_path, example(name, tmp_path, port="18082")) as host:
        host.up()
        pids = host.get("/pids")[1]
        assert set(pids) == {"files", "consumer_0", "consumer_1"}
        assert host.get("/readiness")[0] == 200
        host.until(lambda: "the consumer is up" in host.lines("consumer_1"))
        assert "consumes orders" in host.lines("consumer_0")
        assert host.end() == 0
    assert [pid for pid in pids.values() if alive(pid)] == []


def test_the_variable_of_process_wrapper(tmp_path: Path) -> None:
    """``CONFIG`` holds the same list as JSON."""
    listed = [{"name": "one", "entrypoint": "sh", "args": ["-c", "exit 4"], "restartPolicy": "Never"}]
    with Hosted(tmp_path, None, [], {"CONFIG": json.dumps(listed), "PROCWRAP_HTTP": "off"}) as host:
        assert host.wait() == 4


def test_what_was_pidzeros(tmp_path: Path) -> None:
    """Its sample runs as it is, and its key opens what pidzero's API showed."""
    port = free_port()
    config = tmp_path / "config.yaml"
    config.write_text(
        (ROOT / "docs/examples/pidzero/config.yaml").read_text("utf-8").replace("15000", str(port))
    )
    with Hosted(tmp_path, None, ["-config", str(config), "-readiness-file", str(tmp_path / "ready")]) as host:
        host.port = port
        host.until(lambda: "hello 2" in host.out.read_text())
        assert host.get("/ping") == (200, {"ping": "ok"})
        for path in ("/config", "/config/api", "/config/daemons", "/config/pidzero", "/env", "/stats"):
            assert host.get(path)[0] == 401
            request = Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": "Bearer abcd1234"})
            with urlopen(request, timeout=20) as answer:
                assert answer.status == 200
                assert b"abcd1234" not in answer.read()
        assert host.end() == 0


def test_what_pidzeros_config_becomes() -> None:
    """``procwrap convert`` makes of the sample what the page shows."""
    words = [sys.executable, "-m", "procwrap", "convert", str(ROOT / "docs/examples/pidzero/config.yaml")]
    made = subprocess.run(words, capture_output=True, cwd=ROOT, check=True, text=True)
    assert made.stdout == (EXAMPLES / "from-pidzero.yaml").read_text("utf-8")
