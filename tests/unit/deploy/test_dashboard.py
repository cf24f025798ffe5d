"""deploy/grafana/procwrap.json asks for what there is, and looks tidy."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from procwrap.core.events import RestartCause
from procwrap.core.lifecycle import State
from tests.support.checkout import ROOT
from tests.support.dashboard import LABELS, POD, Panel, dashboard, panels, selectors

COLUMNS = 24
PICTURE = ROOT / "docs" / "_static" / "dashboard.svg"

each_panel = pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel.title)


def cells(raw: dict[str, Any]) -> set[tuple[int, int]]:
    """The cells of the grid that a panel takes."""
    at = raw["gridPos"]
    return {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}


def test_the_grid_is_full_and_nothing_overlaps() -> None:
    """Every cell from the first row to the last belongs to one panel."""
    taken = [cell for raw in dashboard()["panels"] for cell in cells(raw)]
    assert len(taken) == len(set(taken))
    height = max(y for _, y in taken) + 1
    assert set(taken) == {(x, y) for x in range(COLUMNS) for y in range(height)}


def test_ids_and_titles_are_unique() -> None:
    """Links to panels, and people who speak of them, mean one."""
    everything = dashboard()["panels"]
    assert len({raw["id"] for raw in everything}) == len(everything)
    assert len({raw["title"] for raw in everything}) == len(everything)


def test_the_rows() -> None:
    """From the whole fleet to one pod, and what only some use at the end."""
    rows = [raw["title"] for raw in dashboard()["panels"] if raw["type"] == "row"]
    assert rows == ["Fleet", "Pod $pod", "Locks", "Preemption", "prommerge"]


def test_it_can_be_imported_anywhere() -> None:
    """Nothing names one Grafana's own things: no id, and the data source is a variable."""
    read = dashboard()
    assert read["id"] is None
    assert read["schemaVersion"] >= 38, "that of Grafana 10"
    sources = {str(found) for found in re.findall(r"'uid': '([^']*)'", str(read))}
    assert sources == {"${datasource}", "procwrap", "-- Grafana --"}
    kinds = {requirement["id"] for requirement in read["__requires"] if requirement["type"] == "panel"}
    assert kinds == {panel.kind for panel in panels()}


def test_the_variables() -> None:
    """Namespace, pod and process can each be several or all, and all includes what has no such label."""
    source, *others = dashboard()["templating"]["list"]
    assert (source["type"], source["query"]) == ("datasource", "prometheus")
    assert [variable["name"] for variable in others] == ["namespace", "pod", "process"]
    for variable in others:
        assert (variable["multi"], variable["includeAll"], variable["allValue"]) == (True, True, ".*")
        assert {found.metric for found in selectors(variable["definition"])} <= LABELS.keys()


@each_panel
def test_every_selector_uses_the_variables(panel: Panel) -> None:
    """A namespace or pod chosen above holds for every panel, a process for all that show processes."""
    for expression in panel.expressions:
        found = list(selectors(expression))
        assert found
        for selector in found:
            assert 'namespace=~"$namespace",pod=~"$pod"' in selector.matchers, expression
            if panel.row != "Fleet" and "process_name" in LABELS[selector.family]:
                assert re.search(r'process_name=~"\$process(\|procwrap)?"', selector.matchers), expression


@each_panel
def test_every_metric_exists(panel: Panel) -> None:
    """With the labels by which it is chosen, and those that are shown."""
    for target in panel.targets:
        shown = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
        known = set(POD)
        for selector in selectors(target["expr"]):
            assert selector.family in LABELS, selector
            assert selector.labels <= LABELS[selector.family] | POD, selector
            known |= LABELS[selector.family]
        assert shown <= known, target["legendFormat"]


@each_panel
def test_rates_fit_the_scrape_interval(panel: Panel) -> None:
    """No window is written down: Grafana knows how often there is a sample."""
    windows = {window for expr in panel.expressions for window in re.findall(r"\[([^]]*)\]", expr)}
    assert windows <= {"$__rate_interval", "$__range", "$__range:"}


@each_panel
def test_every_panel_explains_itself(panel: Panel) -> None:
    """A description in whole sentences, a unit, and a name for each line."""
    assert re.fullmatch(r"[A-Za-z][^\n]{30,}\.", panel.raw["description"])
    if panel.kind in {"timeseries", "stat"}:
        assert panel.raw["fieldConfig"]["defaults"]["unit"]
    if panel.kind in {"timeseries", "state-timeline"}:
        assert all(target["legendFormat"] != "__auto" for target in panel.targets)
        assert panel.raw["options"]["legend"]["showLegend"]


def test_every_state_has_its_colour() -> None:
    """The timeline's numbers are the states, each with a colour of its own."""
    (panel,) = [panel for panel in panels() if panel.title == "State of each process"]
    asked = {
        int(n): s
        for n, s in re.findall(r'(\d+) \* procwrap_process_state{[^}]*state="(\w+)"}', panel.expressions[0])
    }
    (mapping,) = panel.raw["fieldConfig"]["defaults"]["mappings"]
    assert {int(number): text["text"] for number, text in mapping["options"].items()} == asked
    assert set(asked.values()) == {state.value for state in State}
    assert len({text["color"] for text in mapping["options"].values()}) == len(State)


def test_every_reason_has_its_colour() -> None:
    """What is restarted is told apart by why."""
    (panel,) = [panel for panel in panels() if panel.title == "Restarts by reason"]
    overrides = panel.raw["fieldConfig"]["overrides"]
    assert {o["matcher"]["options"] for o in overrides} == {cause.value for cause in RestartCause}


def test_the_picture_shows_every_panel() -> None:
    """A change of the dashboard without `python docs/dashboard_picture.py` is found out."""
    texts = {
        "".join(element.itertext())
        for element in ElementTree.parse(PICTURE).iter()
        if element.tag.endswith("text")
    }
    missing = [panel.title for panel in panels() if panel.title not in texts]
    assert not missing
