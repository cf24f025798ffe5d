"""A real Prometheus scrapes a real procwrap, and what the dashboard and the rules ask has an answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from tests.support.dashboard import (
    RULES,
    RULES_TEST,
    dashboard,
    panels,
    rules,
    selectors,
    substituted,
)
from tests.support.hosted import PATIENCE, Hosted, free_port, process, python
from tests.support.servers.prometheus import DISCOVERY, SHOWN, Prometheus, Scraped, promtool
from tests.support.servers.targets import Target, answering

pytestmark = pytest.mark.integration

REAL, STAND_IN = "shop-1", "shop-2"

SLEEP = "exec sleep 600"
SERVER = """
import http.server
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"jobs 7\\n")
    def log_message(self, *_):
        print("asked", flush=True)
http.server.HTTPServer(("127.0.0.1", {port}), Answer).serve_forever()
"""

SELDOM = {
    "sidecar_cmd_acquire_lock_total",
    "procwrap_lock_held",
    "procwrap_preempted",
    "procwrap_events_sent_total",
}
"""What is there only where locks, preemption or event sinks are configured."""

COORDINATED = b"""\
# TYPE procwrap_lock_held gauge
procwrap_lock_held{process_name="leader"} 1
# TYPE sidecar_cmd_acquire_lock_total counter
sidecar_cmd_acquire_lock_total{status="success",process_name="leader",cmd="lead"} 1
# TYPE procwrap_preempted gauge
procwrap_preempted 0
# TYPE procwrap_events_sent_total counter
procwrap_events_sent_total{sink="udp",result="sent"} 3
procwrap_events_sent_total{sink="udp",result="dropped"} 0
"""
"""What a pod with a lock, an event sink and an eye on preemption shows besides."""


def plan(port: int, missing: str) -> list[dict[str, Any]]:
    """Return five processes that leave no panel empty."""
    often = {"delay": "0s", "period": "200ms", "restartOnFailure": False}
    address = f"http://127.0.0.1:{port}/"
    web = {"readiness": {"http": {"url": address}, **often}, "promTarget": address}
    soon = {"initial": "300ms", "max": "300ms"}
    false = {"exec": {"command": {"entrypoint": "false"}}, **often}
    return [
        python("web", SERVER.replace("{port}", str(port)), **web),
        process("crashing", "echo out of luck; exit 3", restartPolicy="always", restartBackoff=soon),
        process("failing", SLEEP, readiness=false),
        process("limited", SLEEP, memoryLimitMB=100),
        process("talking", "while :; do echo hello; sleep 0.2; done", logFile={"path": missing}),
    ]


@frozen
class Watched:
    """A procwrap, and the Prometheus that scrapes it."""

    hosted: Hosted
    prometheus: Prometheus

    def until_all(self, questions: Mapping[str, str], ask: Callable[[str], list[Any]]) -> None:
        """Ask until each question has been answered with data; fail with those that never are."""
        left, deadline = dict(questions), time.monotonic() + PATIENCE
        while left := {name: question for name, question in left.items() if not ask(question)}:
            assert time.monotonic() < deadline, f"no data: {left}\n{self.hosted.told()}"
            time.sleep(0.2)

    def heartbeat(self) -> None:
        """Two, so that there is a time between them."""
        for _ in range(2):
            self.hosted.get("/heartbeat?name=web", method="PATCH")


def answers(hosted: Hosted) -> bool:
    """Whether its HTTP side is there already."""
    with suppress(OSError):
        return hosted.get("/ping")[0] == 200
    return False


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Run everything; a module is enough, for nothing here changes it."""
    home = tmp_path_factory.mktemp("prometheus")
    with ExitStack() as stack:
        config = plan(free_port(), str(home / "missing" / "log"))
        (home / "host").mkdir()
        (home / "server").mkdir()
        hosted = stack.enter_context(Hosted(home / "host", config, http=True))
        other = stack.enter_context(Target(answering(COORDINATED)))
        hosted.until(lambda: answers(hosted))
        scraped = [
            Scraped(hosted.port, REAL),
            Scraped(hosted.port, REAL, "/prommerge", job="procwrap-processes"),
            Scraped(other.port, STAND_IN),
        ]
        prometheus = stack.enter_context(Prometheus(home / "server", scraped, RULES))
        found = Watched(hosted, prometheus)
        found.heartbeat()
        yield found


@pytest.mark.parametrize("pod", [".*", REAL])
def test_every_panel_has_data(watched: Watched, pod: str) -> None:
    """Of all pods together, and of one in which nothing has a lock and no sink is configured."""
    asked = {
        f"{panel.title} {target['refId']}": substituted(target["expr"], pod=pod)
        for panel in panels()
        for target in panel.targets
    }
    assert len(asked) > 40
    watched.until_all(asked, watched.prometheus.ask)


def test_the_variables_offer_what_is_there(watched: Watched) -> None:
    """Namespaces, pods, and the processes of the plan; the beginning of procwrap is marked."""
    offered = {}
    for variable in dashboard()["templating"]["list"][1:]:
        words = substituted(variable["definition"]).removeprefix("label_values(").removesuffix(")")
        series, label = words.rsplit(", ", 1)
        watched.until_all({label: series}, watched.prometheus.ask)
        offered[variable["name"]] = watched.prometheus.api(f"label/{label}/values", **{"match[]": series})
    processes = ["crashing", "failing", "limited", "talking", "web"]
    assert offered == {"namespace": ["shop"], "pod": [REAL], "process": processes}
    (marked,) = watched.prometheus.ask(substituted(dashboard()["annotations"]["list"][1]["expr"]))
    assert abs(float(marked["value"][1]) / 1000 - time.time()) < 600


def test_every_recording_rule_records(watched: Watched) -> None:
    """What is recorded can be asked for under its name."""
    recorded = {rule["record"]: rule["record"] for rule in rules() if "record" in rule}
    watched.until_all(recorded, watched.prometheus.ask)


def test_every_alert_looks_at_something_that_exists(watched: Watched) -> None:
    """An alert that asks for a label or a name that nobody has would be silent for ever."""
    asked = {
        f"{rule['alert']}: {selector}": str(selector)
        for rule in rules()
        if "alert" in rule
        for selector in selectors(rule["expr"])
    }
    watched.until_all(asked, watched.prometheus.ask)
    groups = watched.prometheus.api("rules")["groups"]
    broken = {
        rule["name"]: rule["lastError"]
        for group in groups
        for rule in group["rules"]
        if rule["health"] != "ok"
    }
    assert not broken


def test_the_right_alerts_fire(watched: Watched) -> None:
    """The crash loop and the lost records are told, in words that were filled in; nothing else is."""

    def firing(_: str) -> list[Any]:
        alerts = watched.prometheus.api("alerts")["alerts"]
        found = [alert for alert in alerts if alert["state"] == "firing"]
        return found if len(found) > 1 else []

    watched.until_all({"alerts": ""}, firing)
    told = {alert["labels"]["alertname"]: alert for alert in firing("")}
    assert told.keys() == {"ProcwrapCrashLoop", "ProcwrapLogLinesDropped"}
    summary = told["ProcwrapCrashLoop"]["annotations"]["summary"]
    assert summary == f"crashing in shop/{REAL} is restarted again and again"
    texts = [text for alert in told.values() for text in alert["annotations"].values()]
    assert not [text for text in texts if "<error" in text or "%!" in text or "<no value>" in text]


def test_both_endpoints_are_scraped(watched: Watched) -> None:
    """Prometheus, which asks for OpenMetrics, has nothing to say against either."""

    def troubles() -> list[str]:
        # A scrape may come too late on a busy machine; the next one does not.
        return [str(target["lastError"]) for target in watched.prometheus.api("targets")["activeTargets"]]

    watched.hosted.until(lambda: troubles() == [""] * 3)
    watched.until_all({"merged": f'jobs{{pod="{REAL}",process_name="web"}} == 7'}, watched.prometheus.ask)


def test_what_is_missing_is_said(watched: Watched) -> None:
    """A pod without locks, sinks and preemption shows that in words, not as an empty panel."""
    asked = [expr for panel in panels() for expr in panel.expressions if "label_replace" in expr]
    assert {selector.family for expr in asked for selector in selectors(expr)} == SELDOM
    found = [watched.prometheus.ask(substituted(expr, pod=REAL)) for expr in asked]
    words = {word for (series,) in found for word in series["metric"].values()}
    assert words == {"no process has a lock", "nobody watches for preemption", "no sink is configured"}


@pytest.mark.parametrize("shown", SHOWN)
def test_promtool_accepts_the_configs_of_the_docs(shown: str, tmp_path: Path) -> None:
    """What the page shows can be pasted."""
    config = tmp_path / "prometheus.yml"
    config.write_text(shown.replace(DISCOVERY, "static_configs: []"))
    assert "SUCCESS" in promtool("check", "config", "--syntax-only", config)


def test_promtool_accepts_the_rules() -> None:
    """They are valid, and each alert fires when it should and does not when it should not."""
    assert f"{len(rules())} rules found" in promtool("check", "rules", RULES)
    assert "SUCCESS" in promtool("test", "rules", RULES_TEST)
