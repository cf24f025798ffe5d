"""docs/reference/metrics.md says what the collector shows."""

from __future__ import annotations

import re
from pathlib import Path

from procwrap.core.commandline import LONGEST
from procwrap.metrics.family import FAMILIES

PAGE = (Path(__file__).parents[3] / "docs/reference/metrics.md").read_text("utf-8")


def test_every_family_stands_in_the_table() -> None:
    """With its type and labels, in the order of the output; and nothing else does."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) ?\| .+\|$", PAGE, re.MULTILINE)
    told = [(name, kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows]
    assert told == [(family.name, family.kind, family.labels) for family in FAMILIES]


def test_what_a_family_means_is_one_line() -> None:
    """HELP holds nothing that would have to be escaped."""
    assert not [family.name for family in FAMILIES if re.search(r"[\\\n]", family.meaning)]


def test_the_length_of_command_lines_is_told() -> None:
    """The page names the bound."""
    assert f"cut to {LONGEST} characters" in PAGE
