"""The status page in a real Chromium: how it looks, for whom it works, and what it lets in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import PHONE, Tab
from tests.support.pagedemo import demo
from tests.support.pageserver import TOKEN, PageServer, check, shown

pytestmark = pytest.mark.integration

EVIL = "<img src=x onerror=alert(1)><b>'\"&amp;"


@pytest.fixture(scope="module")
def host() -> Iterator[PageServer]:
    """A host that nobody changes."""
    with demo() as served:
        yield served


def cells(page: Page) -> list[list[str]]:
    """Return the texts of the table, without what ticks."""
    return page.evaluate(
        """[...document.querySelectorAll('#rows tr')].map(tr => [
             tr.dataset.tone, tr.querySelector('use').getAttribute('href'), tr.querySelector('a').hash,
             ...[...tr.cells].filter((_, at) => at !== 5)
               .map(cell => cell.textContent.replace(/, \\d+[smhd] ago/, ''))])"""
    )


SIGHTS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": PHONE, "device_scale_factor": 2},
    "phone-dark": {"viewport": PHONE, "device_scale_factor": 2, "color_scheme": "dark"},
    "contrast": {"forced_colors": "active"},
}


@pytest.mark.parametrize("sight", SIGHTS)
def test_everybody_can_read_the_table(browser: Browser, tmp_path: Path, host: PageServer, sight: str) -> None:
    """Light, dark, on a phone: axe-core finds nothing wrong, and nothing is wider than the window."""
    with Tab(browser, tmp_path, **SIGHTS[sight]) as tab:
        page = tab.open(host.url)
        expect(page.locator("#rows tr")).to_have_count(12)
        tab.shot(sight)
        assert tab.overflow() <= 0
        if sight != "contrast":
            tab.accessible()
        tab.quiet()


@pytest.mark.parametrize("sight", ["light", "dark", "phone"])
def test_everybody_can_read_the_details(
    browser: Browser, tmp_path: Path, host: PageServer, sight: str
) -> None:
    """The details of a process, with charts, probes, log and events, are as good."""
    with Tab(browser, tmp_path, token=TOKEN, **SIGHTS[sight]) as tab:
        page = tab.open(f"{host.url}#worker-2")
        expect(page.locator("#l-view")).to_contain_text("consumed 32 messages")
        expect(page.locator("#p-facts")).to_contain_text("/usr/bin/worker-2")
        tab.shot(f"panel-{sight}")
        assert tab.overflow() <= 0
        tab.accessible()
        page.click("#t-events")
        expect(page.locator("#e-list li")).to_have_count(6)
        tab.shot(f"events-{sight}")
        tab.accessible()
        tab.quiet()


@pytest.mark.parametrize("sight", ["light", "dark", "phone"])
def test_everybody_can_read_the_dialogs(
    browser: Browser, tmp_path: Path, host: PageServer, sight: str
) -> None:
    """So are the dialogs for the token and before a stop."""
    with Tab(browser, tmp_path, **SIGHTS[sight]) as tab:
        page = tab.open(host.url)
        page.click("#key")
        tab.shot(f"dialog-{sight}")
        tab.accessible()
        page.fill("#d-token-in", TOKEN)
        page.keyboard.press("Enter")
        expect(page.locator("#key")).to_have_text("Unlocked")
        page.goto(f"{host.url}#web")
        page.click("#p-acts [data-act=stop]")
        expect(page.locator("#d-sure")).to_contain_text("worker-1, worker-2, worker-3")
        tab.shot(f"sure-{sight}")
        tab.accessible()
        tab.quiet()


def test_without_javascript(browser: Browser, tmp_path: Path, host: PageServer) -> None:
    """Without JavaScript the table is there all the same, problems first, and nothing that cannot work."""
    with Tab(browser, tmp_path, java_script_enabled=False) as tab:
        tab.page.goto(host.url)
        rows = tab.page.locator("#rows tr")
        expect(rows).to_have_count(12)
        expect(rows.first).to_contain_text("unhealthy")
        expect(rows.first).to_contain_text("connection refused")
        note = tab.page.locator("noscript").bounding_box()  # Playwright reads no text in there
        assert note is not None
        assert note["height"] > 0
        for gone in (".tools", ".bar", "footer"):
            expect(tab.page.locator(gone)).to_be_hidden()
        tab.shot("no-javascript")


def test_taken_over_without_flicker(browser: Browser, tmp_path: Path, host: PageServer) -> None:
    """What the server wrote and what the script says of the same is the same, word for word."""
    with Tab(browser, tmp_path) as tab:
        tab.page.route("**/live", lambda _: None)  # it has to wait
        tab.page.goto(host.url)
        written = cells(tab.page)
        assert len(written) == 12
        tab.page.unroute_all()
        page = tab.open(host.url)
        expect(page.locator("#chips b").first).to_have_text("12")
        assert cells(page) == written


def test_texts_from_outside_stay_texts(browser: Browser, tmp_path: Path) -> None:
    """Whatever stands in a reason, a name or a log line is shown as it is, and never obeyed."""
    wrong = shown(EVIL, "unhealthy", reason=EVIL, checks={"readiness": check(False, EVIL, 1, exec=EVIL)})
    host = PageServer(
        processes={EVIL: wrong}, log=lambda _: iter([[EVIL, f'time="2026" level=error msg="{EVIL}"']])
    )
    host.events.append({"time": "2026-11-22T08:00:00Z", "event": EVIL, "process": EVIL, "reason": EVIL})
    with host, Tab(browser, tmp_path, token=TOKEN) as tab:
        page = tab.open(host.url)
        expect(page.locator("#rows a")).to_have_text(EVIL)
        expect(page.locator("#rows [data-f=why]")).to_have_text(EVIL)
        page.click("#rows a")
        expect(page.locator("#p-name")).to_have_text(EVIL)
        expect(page.locator("#l-view")).to_contain_text(EVIL)
        page.click("#t-events")
        expect(page.locator("#e-list b")).to_have_text(EVIL)
        page.click("#p-acts [data-act=stop]")
        expect(page.locator("#d-sure-h")).to_have_text(f"Stop {EVIL}?")
        assert page.locator("img").count() == 0
        tab.quiet()
