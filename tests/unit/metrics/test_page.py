from __future__ import annotations

import pytest

from procwrap.core.histogram import Histogram
from procwrap.metrics.family import (
    BUILD_INFO,
    CMD_READINESS,
    HEALTHY,
    MERGE_DURATION,
    PROBE_DURATION,
    RESTARTS,
)
from procwrap.metrics.page import Page, label
from procwrap.metrics.syntax import Syntax


def written(page: Page, syntax: Syntax = Syntax.TEXT) -> str:
    return b"".join(page.write(syntax)).decode()


def test_a_family_is_written_once_with_what_it_means() -> None:
    """HELP, TYPE and all samples stand together, whatever came in between."""
    page = Page()
    page.add(HEALTHY, label("process_name", "a"), 1)
    page.add(BUILD_INFO, label("version", "1"), 1)
    page.add(HEALTHY, label("process_name", "b"), 0.5)
    assert written(page) == (
        "# HELP procwrap_process_healthy 1 when nothing is wrong with a process, as in /status.\n"
        "# TYPE procwrap_process_healthy gauge\n"
        'procwrap_process_healthy{process_name="a"} 1\n'
        'procwrap_process_healthy{process_name="b"} 0.5\n'
        "# HELP procwrap_build_info Always 1; the versions are its labels.\n"
        "# TYPE procwrap_build_info gauge\n"
        'procwrap_build_info{version="1"} 1\n'
    )


def test_histograms_are_cumulative() -> None:
    """With and without labels."""
    histogram = Histogram((0.1, 1.0))
    for value in (0.05, 0.5, 7.0):
        histogram.add(value)
    page = Page()
    page.add_histogram(PROBE_DURATION, 'probe="tcp"', histogram)
    page.add_histogram(MERGE_DURATION, "", histogram)
    lines = [line for line in written(page).splitlines() if line[0] != "#"]
    assert lines == [
        'sidecar_metrics_merge_duration_seconds_bucket{le="0.1"} 1',
        'sidecar_metrics_merge_duration_seconds_bucket{le="1.0"} 2',
        'sidecar_metrics_merge_duration_seconds_bucket{le="+Inf"} 3',
        "sidecar_metrics_merge_duration_seconds_sum 7.55",
        "sidecar_metrics_merge_duration_seconds_count 3",
        'procwrap_probe_duration_seconds_bucket{probe="tcp",le="0.1"} 1',
        'procwrap_probe_duration_seconds_bucket{probe="tcp",le="1.0"} 2',
        'procwrap_probe_duration_seconds_bucket{probe="tcp",le="+Inf"} 3',
        'procwrap_probe_duration_seconds_sum{probe="tcp"} 7.55',
        'procwrap_probe_duration_seconds_count{probe="tcp"} 3',
    ]


def test_openmetrics_names_counters_without_total_and_has_an_end() -> None:
    """A counter that does not end so is of unknown type there, and keeps its name."""
    page = Page()
    page.add(RESTARTS, 'reason="exit"', 1)
    page.add(CMD_READINESS, 'status="oom"', 2)
    text = written(page, Syntax.OPENMETRICS)
    assert "# TYPE procwrap_process_restarts counter\n" in text
    assert '\nprocwrap_process_restarts_total{reason="exit"} 1\n' in text
    assert "# TYPE sidecar_cmd_readiness_count unknown\n" in text
    assert '\nsidecar_cmd_readiness_count{status="oom"} 2\n' in text
    assert text.endswith("\n# EOF\n")


@pytest.mark.parametrize("value", ['a"b', "a\\b", "a\nb", "a\\nb", "ü}{,=", ""])
def test_label_values_survive(value: str) -> None:
    """Whatever stands in one, the reference parser reads the same."""
    from tests.support.metrics import series

    page = Page()
    page.add(HEALTHY, label("process_name", value), 1)
    for syntax in Syntax:
        found = series(written(page, syntax), syntax)
        assert list(found) == [("procwrap_process_healthy", frozenset({("process_name", value)}))]
