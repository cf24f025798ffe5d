"""A real procwrap whose machine is taken away, by the metadata services of three clouds."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.hosted import Hosted, process
from tests.support.plans import SERVE
from tests.support.servers.beside import Beside, answering
from tests.support.servers.metadata import VALUE, Aws, Azure, Google, preempt
from tests.support.udp import UdpServer

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

POD = {"POD_NAME": "", "HOSTNAME": "web-1", "POD_NAMESPACE": "shop", "NODE_NAME": "n1"}
LABELS = b'"labels":{"event_type":"%s","namespace":"shop","node":"n1","pod":"web-1"}'
SECRET = "hunter2-hunter2"


def preempted(
    home: Path, url: str, cloud: str = "1", *options: str, plan: Any = None, **settings: Any
) -> Hosted:
    """A procwrap that asks a metadata service."""
    variables = {**POD, "HANDLE_PREEMPTION": cloud, "METADATA_URL": url, **settings}
    return Hosted(home, plan or [process("a", SERVE)], options, environment=variables, http=True)


def shown(host: Hosted) -> str:
    """What /metrics says about preemption."""
    lines = str(host.get("/metrics")[1]).splitlines()
    return next((line for line in lines if line.startswith("procwrap_preempted")), "")


def is_ready(host: Hosted) -> bool:
    """Whether traffic may come."""
    return host.get("/readiness")[0] == 200


def test_google(tmp_path: Path) -> None:
    """The server tells when it happens, and nobody asks in between; everybody hears, Envoy too."""
    plan = {
        "processes": [process("a", SERVE)],
        "readinessFile": {"path": str(tmp_path / "ready"), "follow": True},
    }
    with Google() as google, Beside() as envoy, UdpServer() as server:
        settings = {
            "METRICS_SERVER_ADDRESS": server.address,
            "ENVOY_DRAIN_URL": f"{envoy.url}/drain?graceful",
        }
        with preempted(tmp_path, google.url + VALUE, "true", "--envoy-drain", plan=plan, **settings) as host:
            host.up().until(lambda: is_ready(host))
            google.wait_for(VALUE, 2)
            time.sleep(0.5)
            assert len(google.of(VALUE)) == 2
            assert google.heard[1].path.endswith("?wait_for_change=true&timeout_sec=60&last_etag=1")
            assert (shown(host), server.receive()[-1].raw) == (
                "procwrap_preempted 0",
                b'{"name":"preempted",%s,"op":"inc","value":0}' % (LABELS % b"preempted"),
            )
            google.set("TRUE")
            host.until(lambda: not is_ready(host))
            assert host.get("/readiness")[1]["preempted"] is True
            assert host.get("/liveness")[0] == 200
            assert shown(host) == "procwrap_preempted 1"
            host.until(lambda: not host.ready_file.exists())
            server.wait_for("preemption_count", 2)
            assert [told.raw for told in server.told[1:4]] == [
                b'{"name":"preempted",%s,"op":"event","value":1}' % (LABELS % b"preempted"),
                b'{"name":"preempted",%s,"op":"inc","value":1}' % (LABELS % b"preempted"),
                b'{"name":"preemption_count",%s,"op":"event","value":1}' % (LABELS % b"preemption_count"),
            ]
            assert [heard[:2] for heard in envoy.heard] == [("POST", "/drain?graceful")]
            assert host.said("preempted: Google takes this machine back")
            google.set("FALSE")
            # Envoy's listeners do not come back, so no traffic is asked for.
            host.until(lambda: host.said("taken back, but Envoy has drained"))
            assert not is_ready(host)
            assert host.end() == 0
            # What it was told once it need not be told again.
            assert len(envoy.heard) == 1


def test_an_impatient_server(tmp_path: Path) -> None:
    """One that never waits is asked about once a second, no more."""
    always = answering(200, b"FALSE", {"Metadata-Flavor": "Google", "ETag": "1"})
    with Beside(always) as server, preempted(tmp_path, f"{server.url}/x?key={SECRET}") as host:
        heard = server.wait_for("/x", 3)
        assert all(later.at - earlier.at > 0.5 for earlier, later in pairwise(heard))
        assert is_ready(host.up())
        assert not host.said("cannot find out")


def test_a_server_that_comes_later(tmp_path: Path) -> None:
    """What fails is told once and asked again, ever more rarely; then everything is as it should be."""
    with Google() as google:
        google.manner = answering(503)
        with preempted(tmp_path, f"{google.url}{VALUE}?key={SECRET}") as host:
            google.wait_for(VALUE, 2)
            assert all(later.at - earlier.at > 0.25 for earlier, later in pairwise(google.heard))
            assert len(host.said("cannot find out")) == len(host.said("503, expected 200")) == 1
            assert is_ready(host)
            google.set("TRUE")
            google.manner = google.say
            host.until(lambda: host.said("says again whether we are preempted"))
            host.until(lambda: not is_ready(host))
            assert SECRET not in host.told()


def test_nobody_there(tmp_path: Path) -> None:
    """Without a metadata server all goes on, and the end is not delayed."""
    with preempted(tmp_path, "http://metadata.invalid/x") as host:
        host.up().until(lambda: host.said("cannot find out from http://metadata.invalid/x"))
        began = time.monotonic()
        assert host.end() == 0
        assert time.monotonic() - began < 5


def test_aws(tmp_path: Path) -> None:
    """A token first, then what becomes of the machine."""
    with Aws() as aws:
        aws.action = {"action": "terminate", "time": "2026-09-18T08:22:00Z"}
        with preempted(tmp_path, aws.url, "aws") as host:
            host.until(
                lambda: host.said("preempted: AWS will terminate this machine at 2026-09-18T08:22:00Z")
            )
            assert not is_ready(host)
            assert [heard.method for heard in aws.heard] == ["PUT", "GET"]
            assert aws.token not in host.told()


def test_azure(tmp_path: Path) -> None:
    """Events of other machines, and those of other kinds, are not ours."""
    with Azure("pool_7") as azure:
        azure.events = [
            preempt("pool_8"),
            preempt("pool_7", kind="Reboot"),
            preempt("pool_7", status="Canceled"),
        ]
        with preempted(tmp_path, azure.url, "azure") as host:
            host.up()
            azure.wait_for("/metadata/scheduledevents", 2)
            assert is_ready(host)
            azure.events.append(preempt("pool_9", "Pool_7"))
            host.until(
                lambda: host.said("preempted: Azure takes this machine back, not before: Mon, 19 Sep 2026")
            )
            assert not is_ready(host)
            azure.events.clear()
            host.until(lambda: host.said("no longer preempted"))
            assert is_ready(host)
            assert shown(host) == "procwrap_preempted 0"


def test_a_wrapped_command(tmp_path: Path) -> None:
    """Around one command it is watched as well, and told."""
    words = ("--envoy-drain", "--", "/bin/sh", "-c", SERVE)
    with Google() as google, Beside() as envoy, UdpServer() as server:
        google.set("TRUE")
        variables = {
            **POD,
            "HANDLE_PREEMPTION": "enabled",
            "METADATA_URL": google.url + VALUE,
            "ENVOY_DRAIN_URL": f"{envoy.url}/drain",
            "METRICS_SERVER_ADDRESS": server.address,
        }
        with Hosted(tmp_path, None, words, variables) as host:
            envoy.wait_for("/drain")
            assert [(told.op, told.value) for told in server.receive() if told.name == "preempted"] == [
                ("inc", 0),
                ("event", 1),
                ("inc", 1),
            ]
            host.end()
