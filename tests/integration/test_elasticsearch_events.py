"""Events of a real procwrap in an Elasticsearch that behaves as it likes."""

from __future__ import annotations

import base64
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.hosted import ROOT, Hosted, process
from tests.support.plans import SERVE, restarted
from tests.support.servers.elasticsearch import MODULE, counted, settled
from tests.support.servers.moods import Moody
from tests.support.udp import UdpServer

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

SECRET = "hunter2-hunter2"
POD = {"POD_NAME": "web-1", "POD_NAMESPACE": "shop", "NODE_NAME": "n1"}


@pytest.fixture
def server() -> Iterator[Moody]:
    """The server."""
    with Moody(MODULE) as started:
        yield started


def hosted(home: Path, server: Moody, *plan: dict[str, Any], **more: str) -> Hosted:
    """A procwrap that keeps its events there."""
    url = f"http://me:{SECRET}@localhost:{server.port}"
    return Hosted(home, plan, environment={**POD, "ELASTICSEARCH_URL": url, **more}, http=True)


def failing(name: str, home: Path, **settings: Any) -> dict[str, Any]:
    """A process with a probe that fails until there is a file ``there``; with a threshold it is restarted."""
    probe = {"delay": "10ms", "period": "20ms", "failureThreshold": 3, "file": {"path": str(home / "there")}}
    return restarted(name, SERVE, readiness={**probe, **settings})


def quiet(host: Hosted, server: Moody, home: Path) -> list[dict[str, Any]]:
    """Let no probe fail any more; return everything when it has arrived."""
    (home / "there").touch()
    return settled(host, server)


def numbers(documents: list[dict[str, Any]]) -> list[int]:
    """The sequence numbers of documents, in the order of their arrival."""
    return [document["sequence"] for document in documents]


def test_many_restarting_processes(tmp_path: Path, server: Moody) -> None:
    """Every event arrives once and in order: just what the UDP server gets, with time and number."""
    plan = failing("many", tmp_path)
    plan["replicas"] = 12
    with (
        UdpServer() as udp,
        hosted(tmp_path, server, plan, METRICS_SERVER_ADDRESS=udp.address) as host,
    ):
        host.until(lambda: len(udp.of("restart")) >= 60)
        host.signal(signal.SIGUSR1)
        documents = quiet(host, server, tmp_path)
        assert counted(host) == {"sent": len(documents), "refused": 0, "dropped": 0}
        assert counted(host, "udp") == counted(host)
        assert host.end() == 0
        documents = server.ask("documents")
        assert numbers(documents) == list(range(1, len(documents) + 1))
        assert [(each["name"], each["labels"]) for each in documents] == [told[:2] for told in udp.receive()]
    last = documents[-1]
    assert last["labels"] == {**last["labels"], "pod": "web-1", "signal": "termination"}
    assert last["_index"] == "procwrap-" + last["@timestamp"][:10].replace("-", ".")
    times = [document["@timestamp"] for document in documents]
    assert times == sorted(times)


def test_a_server_of_many_moods(tmp_path: Path, server: Moody) -> None:
    """Whatever it does, everything arrives once; only what it refuses is lost, and counted.

    What it has kept already when its answer is lost is not kept twice, and counts as sent.
    """
    moods: list[tuple[str, dict[str, Any]]] = [
        ("partial", {"status": 5, "times": 2}),
        ("status", {"status": 429, "headers": {"Retry-After": "1"}, "times": 1}),
        ("cut", {"times": 1}),
        ("status", {"status": 200, "body": "<html>We are back soon.</html>", "times": 1}),
        ("late", {"times": 1}),
        ("away", {"seconds": 0.2}),
    ]
    plan = failing("many", tmp_path, failureThreshold=100_000, delay="200ms")
    plan["replicas"] = 16
    with hosted(tmp_path, server, plan) as host:
        for mood, how in moods:
            # An answer that does not come is waited for until the server is away.
            enough = server.ask("asked") + how.get("times", 0) + (mood != "late")
            server.be(mood, **how)
            host.until(lambda enough=enough: server.ask("asked") >= enough)
        documents = quiet(host, server, tmp_path)
        found = sorted(numbers(documents))
        assert set(range(1, found[-1] + 1)) - set(found) == {5}
        assert counted(host) == {"sent": len(found), "refused": 1, "dropped": 0}
        assert server.ask("conflicts") > 0
        said = host.said("cannot send events to|events reach")
        assert said[0] == (
            f"cannot send events to localhost:{server.port}: 400: document_parsing_exception: "
            "[1:60] failed to parse field [labels.x]; they are lost"
        )
        assert len(said) <= 2
        assert SECRET not in host.told()


@pytest.mark.parametrize("key", ["", SECRET])
def test_who_is_not_let_in(tmp_path: Path, server: Moody, key: str) -> None:
    """One warning says what to look at, and shows neither password nor key; nor does anything else."""
    error = {
        "type": "security_exception",
        "reason": "unable to authenticate user [me] for REST request [/_bulk]",
    }
    server.be("status", status=401, body=json.dumps({"error": {"root_cause": [error], **error}}))
    plan = failing("a", tmp_path, failureThreshold=100_000)
    with hosted(tmp_path, server, plan, ELASTICSEARCH_API_KEY=key) as host:
        host.until(lambda: counted(host).get("refused", 0) > 5)
        pages = json.dumps([host.get(path) for path in ("/metrics", "/status", "/pids")])
        host.signal(signal.SIGUSR1)
        assert host.end() == 0
        (said,) = host.said("cannot send events")
        assert server.ask("asked") >= 2
        headers = server.ask("requests")[0]
    basic = base64.b64encode(f"me:{SECRET}".encode()).decode()
    assert headers["authorization"] == (f"ApiKey {SECRET}" if key else f"Basic {basic}")
    assert said.startswith(f"cannot send events to localhost:{server.port}: 401")
    assert said.endswith("; they are lost")
    assert "401 (are the user and password, or the key, right?): {" in said
    for secret in (SECRET, basic):
        assert secret not in host.told() + host.out.read_text() + pages


def test_the_end(tmp_path: Path, server: Moody) -> None:
    """The last events arrive, and a server that says nothing is not waited for longer than two seconds."""
    with hosted(tmp_path, server, process("a", SERVE)) as host:
        host.until(lambda: "up" in host.lines("a"))
        assert host.end() == 0
        assert [each["labels"]["signal"] for each in server.ask("documents")] == ["termination"]
    server.be("hang")
    with hosted(tmp_path, server, process("a", SERVE)) as host:
        host.until(lambda: "up" in host.lines("a"))
        began = time.monotonic()
        assert host.end() == 0
        assert time.monotonic() - began < 5
        assert host.said("1 events were not sent")


def test_the_example(tmp_path: Path, server: Moody) -> None:
    """The config of the how-to guide does what it says."""
    text = (ROOT / "docs/examples/elasticsearch.yaml").read_text("utf-8")
    config = yaml.safe_load(text)
    assert config["events"]["elasticsearch"]["index"] == "logs-procwrap-default"
    environment = {"ELASTICSEARCH_URL": server.url, "ELASTICSEARCH_API_KEY": "id:key", **POD}
    with Hosted(tmp_path, config, environment=environment) as host:
        host.until(lambda: any(each["name"] == "restart" for each in server.ask("documents")))
        host.end()
    (index,) = {each["_index"] for each in server.ask("documents")}
    assert index == "logs-procwrap-default"
    assert server.ask("requests")[0]["authorization"] == "ApiKey " + base64.b64encode(b"id:key").decode()


def test_a_wrapped_command(tmp_path: Path, server: Moody) -> None:
    """Around one command events are kept, too."""
    environment = {"ELASTICSEARCH_URL": server.url, **POD}
    with Hosted(tmp_path, None, ("--", "/bin/sh", "-c", SERVE), environment) as host:
        host.until(lambda: b"up" in host.out.read_bytes())
        time.sleep(0.3)
        host.end()
    assert [each["labels"]["signal"] for each in server.ask("documents")] == ["termination"]


def test_mistakes_are_told_before_anything_starts(tmp_path: Path) -> None:
    """Exit code 2 and one line, without the password."""
    environment = {"ELASTICSEARCH_URL": f"me:{SECRET}@es:9200"}
    with Hosted(tmp_path, [process("a", SERVE)], environment=environment) as host:
        assert host.wait() == 2
    said = host.err.read_text()
    assert said.startswith("ELASTICSEARCH_URL: expected a URL such as https://elastic:9200;")
    assert SECRET not in said
