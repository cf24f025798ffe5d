"""docs/reference/http.md says what is served: every route, to whom, and no other."""

from __future__ import annotations

import re
from unittest.mock import patch

from procwrap.web import site
from procwrap.web.limits import Limits
from procwrap.web.routing import Access, Route
from tests.support.checkout import ROOT
from tests.support.web import Host

PAGE = (ROOT / "docs/reference/http.md").read_text("utf-8")
HEADINGS = {"Open to everyone": Access.EVERYONE, "For operators": Access.OPERATOR}
Served = set[tuple[str, str, Access]]


def served() -> Served:
    """Method, path and access of every route."""
    found: list[Route] = []

    def keep(routes: tuple[Route, ...], *_: object) -> None:
        found.extend(routes)

    with patch.object(site, "routed", keep), patch.object(site, "Front", lambda *_: None):
        site.make_front(Host().view, Limits())
    return {
        (method, re.sub(r"<(?:\w+:)?\w+>", "NAME", route.path), route.access)
        for route in found
        for method in route.methods
    }


def told() -> Served:
    """The same as the page has it: the first cells of the two tables."""
    found: Served = set()
    for heading, access in HEADINGS.items():
        section = re.split(r"^## ", PAGE.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]
        for cell in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE):
            requests = re.findall(r"`([A-Z]+) (/[^`?]*)(?:\?[^`]*)?`", cell)
            assert requests, cell
            path = requests[0][1]
            others = re.findall(r"\b(?:GET|PATCH|POST|PUT|DELETE)\b", re.sub(r"`.*?`", "", cell))
            found |= {(method, where, access) for method, where in requests}
            found |= {(method, path, access) for method in others}
    return found


def test_every_route_is_there() -> None:
    """Under the heading that says who is answered."""
    assert served() - told() == set()


def test_no_other_route_is_there() -> None:
    """What the page names is served, and to nobody else."""
    assert told() - served() == set()
    assert len(told()) > 30


def test_the_page_names_the_limits() -> None:
    """How many may wait is what the code says."""
    assert f"| requests that wait or follow | {Limits().waiting} |" in PAGE
