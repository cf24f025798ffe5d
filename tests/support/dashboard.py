"""The dashboard and the rules of deploy/, taken apart: panels, expressions, and the selectors in these."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml
from attrs import frozen

from procwrap.metrics.family import FAMILIES
from tests.support.checkout import ROOT

DASHBOARD = ROOT / "deploy" / "grafana" / "procwrap.json"
RULES = ROOT / "deploy" / "prometheus" / "rules.yaml"
RULES_TEST = RULES.with_name("rules_test.yaml")

LABELS = {family.name: set(family.labels) for family in FAMILIES}
"""The labels of all families."""

POD = {"namespace", "pod"}
"""The labels that Prometheus adds."""

ANY = {"namespace": ".*", "pod": ".*", "process": ".*"}
"""What Grafana puts in the place of variables when All is chosen."""


@frozen
class Panel:
    """One panel that is no row.

    Attributes:
        raw: as it stands in the file.
        row: the title of the row that it belongs to.
    """

    raw: dict[str, Any]
    row: str

    @property
    def title(self) -> str:
        """What stands above it."""
        return str(self.raw["title"])

    @property
    def kind(self) -> str:
        """How it shows things, such as ``timeseries``."""
        return str(self.raw["type"])

    @property
    def targets(self) -> list[dict[str, Any]]:
        """Its queries."""
        return list(self.raw["targets"])

    @property
    def expressions(self) -> list[str]:
        """What it asks, with the variables in it."""
        return [target["expr"] for target in self.targets]


@frozen
class Selector:
    """One place in an expression where series are taken from Prometheus."""

    metric: str
    matchers: str = ""

    @property
    def family(self) -> str:
        """The family that the metric is a part of."""
        whole = re.sub("_(bucket|sum|count)$", "", self.metric)
        return whole if whole in LABELS and self.metric not in LABELS else self.metric

    @property
    def labels(self) -> set[str]:
        """The labels that are matched."""
        return set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", self.matchers))

    def __str__(self) -> str:
        return f"{self.metric}{{{self.matchers}}}"


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana reads it."""
    read: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    return read


def panels() -> list[Panel]:
    """Return the panels in their order, without the rows."""
    found, row = [], ""
    for raw in dashboard()["panels"]:
        if raw["type"] == "row":
            row = raw["title"]
        else:
            found.append(Panel(raw, row))
    return found


def rules() -> list[dict[str, Any]]:
    """Return all rules, those that record and those that alert."""
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


def selectors(expression: str) -> Iterator[Selector]:
    """Yield every selector of an expression that takes from our metrics."""
    for found in re.finditer(
        r"(?<![\w:])((?:procwrap|sidecar)_\w+|up)\b(?!:)(?:\{([^}]*)\})?", unquoted(expression)
    ):
        yield Selector(found[1], expression[found.start(2) : found.end(2)] if found[2] else "")


def unquoted(expression: str) -> str:
    """Blank the texts in quotes out, so that no word in them is taken for a metric."""
    return re.sub(r'"[^"]*"', lambda text: '"' + "_" * (len(text[0]) - 2) + '"', expression)


def substituted(expression: str, window: str = "5s", whole: str = "60s", **variables: str) -> str:
    """Return an expression as Grafana would send it.

    Args:
        expression: with its variables.
        window: what rates look at.
        whole: the time range.
        variables: values of the variables; All for the others.
    """
    given = {**ANY, **variables, "__rate_interval": window, "__range": whole}
    return re.sub(r"\$(\w+)", lambda name: given[name[1]], expression)
