from __future__ import annotations

import pytest

from procwrap.metrics.syntax import Syntax, of_content_type, wanted

PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "syntax"),
    [
        (PROMETHEUS, Syntax.OPENMETRICS),
        ("application/openmetrics-text", Syntax.OPENMETRICS),
        ('Application/OpenMetrics-Text; version="1.0.0" , text/plain;q=0.9', Syntax.OPENMETRICS),
        ("application/openmetrics-text;version=2.0.0,text/plain;q=0.1", Syntax.TEXT),
        ("application/openmetrics-text;q=0.1,text/plain", Syntax.TEXT),
        ("application/openmetrics-text,text/plain", Syntax.TEXT),
        ("application/openmetrics-text;q=0", Syntax.TEXT),
        ("application/openmetrics-text;q=x", Syntax.TEXT),
        ("*/*", Syntax.TEXT),
        ("", Syntax.TEXT),
        (";,;q=,=", Syntax.TEXT),
    ],
)
def test_wanted(accept: str, syntax: Syntax) -> None:
    """OpenMetrics for who prefers it, the text format for everybody else."""
    assert wanted(accept) is syntax


@pytest.mark.parametrize(
    ("content_type", "syntax"),
    [
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", Syntax.OPENMETRICS),
        ("APPLICATION/OPENMETRICS-TEXT", Syntax.OPENMETRICS),
        ("text/plain; version=0.0.4", Syntax.TEXT),
        ("text/html", Syntax.TEXT),
        ("", Syntax.TEXT),
    ],
)
def test_of_content_type(content_type: str, syntax: Syntax) -> None:
    """What a body says it is; whatever is not OpenMetrics is tried as text."""
    assert of_content_type(content_type) is syntax
