"""Events of a real procwrap at a real UDP server, and the collector that prints them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.hosted import ROOT, Hosted, free_port, process, python
from tests.support.plans import QUICK, SERVE, STUBBORN, restarted
from tests.support.udp import UdpServer

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

SECRET = "hunter2-hunter2"
POD = {
    "POD_NAME": "",
    "HOSTNAME": "web-1",
    "POD_NAMESPACE": "shop",
    "NODE_NAME": "n1",
    "METRICS_JSON_EXTRA_LABELS": '{"k8s-cluster": "eu1 & <us>"}',
}
COMMON = {"pod": "web-1", "namespace": "shop", "node": "n1", "k8s_cluster": "eu1 & <us>"}


def hosted(
    home: Path, server: UdpServer | str, *plan: dict[str, Any], options: tuple[str, ...] = (), **env: str
) -> Hosted:
    """A procwrap that sends its events to a server."""
    address = server if isinstance(server, str) else server.address
    return Hosted(home, plan, options, environment={**POD, "METRICS_SERVER_ADDRESS": address, **env})


def probed(path: Path, **settings: Any) -> dict[str, Any]:
    """A check that succeeds as long as a file exists."""
    return {"delay": "10ms", "period": "20ms", "file": {"path": str(path)}, **settings}


def test_a_graceful_end(tmp_path: Path) -> None:
    """SIGUSR1, SIGUSR2 and SIGTERM are told with all labels; nothing else is."""
    with UdpServer() as server, hosted(tmp_path, server, process("a", SERVE)) as host:
        host.until(lambda: "up" in host.lines("a"))
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            host.signal(number)
        server.wait_for("termination", 2)
        assert host.end() == 0
        assert server.signals() == ["usr", "usr", "termination"]
        labels = {**COMMON, "event_type": "termination", "signal": "termination"}
        assert server.of("termination")[-1] == labels
        assert server.told[-1].raw == (
            b'{"name":"termination","labels":{"event_type":"termination",'
            b'"k8s_cluster":"eu1 \\u0026 \\u003cus\\u003e","namespace":"shop","node":"n1","pod":"web-1",'
            b'"signal":"termination"},"op":"event","value":1}'
        )
        assert len(server.told) == 3


def test_sigquit_and_a_forced_kill(tmp_path: Path) -> None:
    """Who does not end in its grace is killed, which is told once."""
    options = ("--graceful-shutdown-deadline", "200ms")
    plan = [process("a", STUBBORN), process("b", STUBBORN)]
    with UdpServer() as server, hosted(tmp_path, server, *plan, options=options) as host:
        host.until(lambda: "up" in host.lines("a") and "up" in host.lines("b"))
        host.end(signal.SIGQUIT)
        assert server.signals() == ["termination", "kill"]


def test_sigint(tmp_path: Path) -> None:
    """The fast end is an interrupt, sent before all is gone."""
    with UdpServer() as server, hosted(tmp_path, server, process("a", SERVE)) as host:
        host.until(lambda: "up" in host.lines("a"))
        assert host.end(signal.SIGINT) == 130
        assert server.signals() == ["interrupt"]


def test_failed_probes_and_restart(tmp_path: Path) -> None:
    """Each failed probe is told, and the restart that follows, with its command without secrets."""
    plan = restarted(
        "a",
        SERVE,
        args=[
            "-c",
            SERVE,
            "--",
            f"--password={SECRET}",
            "--token",
            SECRET,
            f"db://u:{SECRET}@h/x",
            "s3cr3t-value",
        ],
        envs={"API_KEY": "s3cr3t-value", "OTHER": "an-env-value"},
        readiness=probed(tmp_path / "absent", failureThreshold=2),
    )
    with UdpServer() as server, hosted(tmp_path, server, plan) as host:
        (restart, *_) = server.wait_for("restart")
        failed = server.of("readiness")
        host.end()
        assert len(failed) >= 2
        expected = {"event_type": "readiness", "process_name": "a", "probe": "file", "status": "false"}
        assert failed[0] == {**COMMON, **expected}
        command = restart.pop("command")
        assert restart == {**COMMON, "event_type": "restart", "process_name": "a"}
        assert command.startswith("/bin/sh -c trap")
        assert command.endswith("-- --password=*** --token *** db://***@h/x ***")
        sent = b"".join(told.raw for told in server.receive())
        for secret in (SECRET, "s3cr3t-value", "an-env-value"):
            assert secret.encode() not in sent
            assert secret not in host.told()


def test_successful_probes_with_debug(tmp_path: Path) -> None:
    """Only --debug tells of probes that succeed."""
    there = tmp_path / "there"
    there.touch()
    plan = process("a", SERVE, readiness=probed(there))
    for options in ((), ("--debug",)):
        with UdpServer() as server, hosted(tmp_path, server, plan, options=options) as host:
            host.up()
            found = server.wait_for("readiness", 3) if options else server.of("readiness")
            host.end()
        assert {labels["status"] for labels in found} == ({"true"} if options else set())


def test_a_process_over_its_memory_limit(tmp_path: Path) -> None:
    """Its restart is told as well."""
    code = "import time; data = b'x' * 60_000_000; time.sleep(600)"
    plan = {"name": "a", "entrypoint": sys.executable, "args": ["-c", code], "memoryLimitMB": 30}
    plan["restartBackoff"] = QUICK
    with UdpServer() as server, hosted(tmp_path, server, plan) as host:
        (restart, *_) = server.wait_for("restart")
        host.end()
        assert restart["process_name"] == "a"


def test_the_config_names_the_server(tmp_path: Path) -> None:
    """``events: {udp: …}`` does what the variable does, which goes before it."""
    with UdpServer() as server, UdpServer() as other:
        plan = {"processes": [process("a", "exit 0")], "events": {"udp": f"localhost:{server.port}"}}
        for environment in ({}, {"METRICS_SERVER_ADDRESS": other.address}):
            plan["processes"] = [process("a", SERVE)]
            with Hosted(tmp_path, plan, environment=environment) as host:
                host.until(lambda: "up" in host.lines("a"))
                host.end()
        assert (server.signals(), other.signals()) == (["termination"], ["termination"])


def test_a_wrapped_command(tmp_path: Path) -> None:
    """Around one command signals are told, too."""
    words = ("--", "/bin/sh", "-c", SERVE)
    environment = {"METRICS_SERVER_ADDRESS": "", **POD}
    with UdpServer() as server:
        environment["METRICS_SERVER_ADDRESS"] = server.address
        with Hosted(tmp_path, None, words, environment) as host:
            host.until(lambda: b"up" in host.out.read_bytes())
            time.sleep(0.3)
            host.end()
        assert server.signals() == ["termination"]


def test_the_labels_file_changes(tmp_path: Path) -> None:
    """As the kubelet changes it: the next event has the new labels."""
    for number, version in enumerate(("one", "two")):
        (tmp_path / f"..{number}").mkdir()
        text = f'app="web"\nversion="{version}"\npod-template-hash="5d8"\nsay="a \\"b\\""'
        (tmp_path / f"..{number}" / "labels").write_text(text)
    (tmp_path / "..data").symlink_to("..0")
    (tmp_path / "labels").symlink_to("..data/labels")
    env = {
        "METRICS_EXTRA_LABELS_FILE_PATH": str(tmp_path / "labels"),
        "METRICS_EXTRA_LABELS_FILE_EXCLUDE": "pod-template-hash, other",
    }
    with UdpServer() as server, hosted(tmp_path, server, process("a", SERVE), **env) as host:
        host.until(lambda: "up" in host.lines("a"))
        host.signal(signal.SIGUSR1)
        (first,) = server.wait_for("termination")
        (tmp_path / "..new").symlink_to("..1")
        os.replace(tmp_path / "..new", tmp_path / "..data")
        time.sleep(1.1)
        host.signal(signal.SIGUSR1)
        second = server.wait_for("termination", 2)[1]
        host.end()
    extra = {**COMMON, "event_type": "termination", "signal": "usr", "app": "web", "say": 'a "b"'}
    assert first == {**extra, "version": "one"}
    assert second == {**extra, "version": "two"}


def test_a_missing_server(tmp_path: Path) -> None:
    """One warning, no delay; once it is there its events arrive, and one line says so."""
    port = free_port()
    plan = process("a", SERVE, readiness=probed(tmp_path / "there", failureThreshold=100_000))
    with hosted(tmp_path, f"127.0.0.1:{port}", plan) as host:
        host.until(lambda: host.said("cannot send events"))
        time.sleep(0.5)
        with UdpServer(port) as server:
            server.wait_for("readiness", 3)
            host.until(lambda: host.said("events reach"))
            assert host.said(r"cannot send events to 127.0.0.1:\d+: Connection refused;")
            assert len(host.said("cannot send events")) == len(host.said("events reach")) == 1
            assert host.end() == 0
            assert server.signals() == ["termination"]


def test_a_name_that_does_not_resolve(tmp_path: Path) -> None:
    """One warning, and neither start nor end takes longer."""
    with hosted(tmp_path, "nowhere.invalid:9999", process("a", SERVE)) as host:
        host.until(lambda: "up" in host.lines("a"))
        host.until(lambda: host.said("cannot send events to nowhere.invalid:9999: "))
        began = time.monotonic()
        assert host.end() == 0
        assert time.monotonic() - began < 3
        assert len(host.said("cannot send events")) == 1


def test_a_burst_slows_no_child(tmp_path: Path) -> None:
    """Ten thousand events, three thousand a second: a child's lines are read as soon as ever."""
    failing = {"env": {"name": "ABSENT", "value": "x"}, "heartBeat": {"period": "1ms"}}
    absent = probed(tmp_path / "absent", failureThreshold=100_000, period="50ms", **failing)
    many = process("many", "exec sleep 600", replicas=60, readiness=absent)
    code = "import time\nwhile 1: print(time.time(), flush=True); time.sleep(.02)"
    with UdpServer() as server, hosted(tmp_path, server, many, python("ticker", code)) as host:
        server.wait_for("readiness", 10_000)
        assert host.end() == 0
        assert server.signals()[:1] == ["termination"]
    ticks = [record for record in host.records() if record["name"] == "ticker"]
    late = sorted(datetime.fromisoformat(tick["time"]).timestamp() - float(tick["msg"]) for tick in ticks)
    assert len(late) > 50
    assert late[len(late) // 2] < 0.05


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_the_collector(tmp_path: Path, number: int, code: int) -> None:
    """``procwrap events --listen-udp`` prints a line for each datagram and ends as asked."""
    port = free_port()
    command = [sys.executable, "-m", "procwrap", "events", "--listen-udp", f":{port}"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environ, text=True) as collector:
        assert collector.stdout is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect(("127.0.0.1", port))
            _until_taken(sender, b'{"name":"x"}')
            first = collector.stdout.readline()
            sender.send(b'{"a":"\x1b[31m\xff\n"}')
            second = collector.stdout.readline()
        collector.send_signal(number)
        assert collector.wait(10) == code
        assert collector.stdout.read() == ""
    when, where, what = first.split(" ", 2)
    assert len(when) == len("2026-11-21T20:03:04.567Z")
    assert where.startswith("127.0.0.1:")
    assert json.loads(what) == {"name": "x"}
    assert second.split(" ", 2)[2] == '{"a":"\\x1b[31m\\xff\\n"}\n'


def _until_taken(sender: socket.socket, data: bytes) -> None:
    """Send until somebody listens, and then no more."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            sender.send(data)
            time.sleep(0.05)
            if not sender.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                return
        except ConnectionRefusedError:
            time.sleep(0.02)
    raise AssertionError("nobody listens")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--listen-udp"], "procwrap events: --listen-udp takes one address, such as :9999"),
        (["--listen-udp=9999"], '--listen-udp: expected "host:port", got 9999'),
    ],
)
def test_the_collector_refuses(words: list[str], message: str) -> None:
    """What cannot be is one line and exit code 2."""
    command = [sys.executable, "-m", "procwrap", "events", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (2, message + "\n")


def test_the_collector_cannot_listen(tmp_path: Path) -> None:
    """A port in use is one line and exit code 1."""
    with UdpServer() as server:
        command = [sys.executable, "-m", "procwrap", "events", f"-listen-udp={server.address}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == f"cannot listen on {server.address}: Address already in use\n"
