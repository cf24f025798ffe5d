"""deploy/prometheus/rules.yaml asks for what there is, and says what to do."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.support.checkout import ROOT
from tests.support.dashboard import LABELS, POD, RULES_TEST, rules, selectors, unquoted

ALERTS = [rule for rule in rules() if "alert" in rule]
RECORDED = {rule["record"] for rule in rules() if "record" in rule}

each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])


def test_every_metric_exists() -> None:
    """Ours with the labels by which they are chosen, and those that are recorded here."""
    for rule in rules():
        found = list(selectors(rule["expr"]))
        recorded = set(re.findall(r"\w+(?::\w+){2}", unquoted(rule["expr"])))
        assert found or recorded, rule
        assert recorded <= RECORDED
        for selector in found:
            if selector.metric != "up":
                assert selector.family in LABELS, selector
                assert selector.labels <= LABELS[selector.family] | POD, selector


def test_recorded_names_are_level_metric_operation() -> None:
    """As Prometheus' own guide wants them, the level being the labels that are left."""
    for rule in rules():
        if "record" in rule:
            level = re.fullmatch(r"([a-z_]+):(?:procwrap|sidecar)_\w+:[a-z0-9_]+", rule["record"])
            assert level, rule["record"]
            by = re.findall(r"by \(([^)]*)\)", rule["expr"])[0].split(", ")
            assert level[1] == "_".join(label for label in by if label != "le"), rule["record"]


@each_alert
def test_an_alert_says_what_to_do(alert: dict[str, Any]) -> None:
    """To somebody who was asleep: how bad, what in one line, and then what to look at."""
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    summary, description = alert["annotations"]["summary"], alert["annotations"]["description"]
    assert len(re.sub(r"{{.*?}}", "", summary)) < 80
    assert "\n" not in summary + description
    assert len(description) > 150
    if "absent" not in alert["expr"]:
        assert "{{ $labels.namespace }}" in summary


@each_alert
def test_an_alert_was_seen_to_fire_and_not_to_fire(alert: dict[str, Any]) -> None:
    """rules_test.yaml has a moment for both."""
    asked = f'ALERTS{{alertname="{alert["alert"]}",alertstate="firing"}}'
    tests = yaml.safe_load(RULES_TEST.read_text("utf-8"))["tests"]
    moments = [
        each["exp_samples"] for test in tests for each in test["promql_expr_test"] if each["expr"] == asked
    ]
    assert any(moments)
    assert [] in moments


def test_the_docs_name_every_alert() -> None:
    """The page about scraping lists what can fire, with its severity."""
    page = (ROOT / "docs/howto/scrape-with-prometheus.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| `(Procwrap\w+)` \| (\w+) \|", page, re.MULTILINE))
    assert listed == {alert["alert"]: alert["labels"]["severity"] for alert in ALERTS}
