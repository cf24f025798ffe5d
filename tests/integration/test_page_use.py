"""The status page in a real Chromium: what people do with it, and what it does when the line is cut."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import Tab
from tests.support.pagedemo import demo
from tests.support.pageserver import TOKEN, PageServer, shown

pytestmark = pytest.mark.integration


@pytest.fixture
def host() -> Iterator[PageServer]:
    """A host of its own for each test."""
    with demo() as served:
        yield served


def test_token_wrong_and_right(browser: Browser, tmp_path: Path, host: PageServer) -> None:
    """A wrong token is told so and not kept; the right one unlocks; it can be forgotten."""
    with Tab(browser, tmp_path) as tab:
        page = tab.open(f"{host.url}#web")
        expect(page.locator("#l-note")).to_contain_text("Enter the token")
        page.click("#p-acts [data-act=restart]", force=True)  # it explains itself
        page.fill("#d-token-in", "wrong")
        page.keyboard.press("Enter")
        expect(page.locator("#d-token-no")).to_have_text("This is not the token.")
        assert page.evaluate("sessionStorage.length") == 0
        page.fill("#d-token-in", TOKEN)
        page.keyboard.press("Enter")
        expect(page.locator("#d-token")).to_be_hidden()
        expect(page.locator("#l-view")).to_contain_text("consumed")
        page.click("#key")
        page.click("#d-token [data-do=forget]")
        expect(page.locator("#p-acts [data-act=stop]")).to_have_attribute("aria-disabled", "true")
        assert page.evaluate("sessionStorage.length") == 0
        assert host.orders == []
        tab.quiet(network=True)


def test_no_token_is_configured(browser: Browser, tmp_path: Path, host: PageServer) -> None:
    """Where no token unlocks anything, the page says why."""
    host.token = None
    with Tab(browser, tmp_path) as tab:
        page = tab.open(host.url)
        page.click("#key")
        page.fill("#d-token-in", "any")
        page.keyboard.press("Enter")
        expect(page.locator("#d-token-no")).to_contain_text("only the control socket admits")


def test_a_token_that_is_no_longer_right(browser: Browser, tmp_path: Path, host: PageServer) -> None:
    """A token that was changed meanwhile is forgotten, and the page says so."""
    with Tab(browser, tmp_path, token="old") as tab:
        page = tab.open(f"{host.url}#web")
        expect(page.locator("#toasts")).to_contain_text("no longer accepted")
        assert page.evaluate("sessionStorage.length") == 0


def test_buttons(browser: Browser, tmp_path: Path, host: PageServer) -> None:
    """Stop and restart ask first, and every order is told how it went."""
    with Tab(browser, tmp_path, token=TOKEN) as tab:
        page = tab.open(f"{host.url}#web")
        page.click("#p-acts [data-act=restart]")
        page.click("#d-sure [data-do=cancel]")
        expect(page.locator("#d-sure")).to_be_hidden()
        page.click("#p-acts [data-act=stop]")
        page.click("#d-sure-yes")
        expect(page.locator("#toasts")).to_contain_text("web stopped")
        expect(page.locator("#p-state")).to_have_text("stopped")
        page.click("#p-acts [data-act=start]")
        expect(page.locator("#toasts")).to_contain_text("web started: running, pid")
        host.reply["restart"] = (409, {"error": "the shutdown has begun"})
        page.click("#p-acts [data-act=restart]")
        page.click("#d-sure-yes")
        expect(page.get_by_role("alert").last).to_contain_text("Cannot restart web: the shutdown has begun")
        assert host.orders == [("stop", "web"), ("start", "web"), ("restart", "web")]
        tab.quiet(network=True)


def test_reload(browser: Browser, tmp_path: Path, host: PageServer) -> None:
    """A reload is told what it changed, or all that is wrong with the config."""
    changes = {
        "added": ["new"], "removed": [], "restarted": {"web": ["args"]}, "adjusted": {}, "unchanged": 9,
        "needsRestart": ["api.socket"], "failed": {}, "warnings": [],
    }  # fmt: skip
    host.reply["reload"] = (200, changes)
    with Tab(browser, tmp_path, token=TOKEN) as tab:
        page = tab.open(host.url)
        page.click("#reload")
        expect(page.locator("#toasts")).to_contain_text("Config reloaded: added new; restarted web.")
        expect(page.locator("#toasts")).to_contain_text(
            "api.socket takes effect when procwrap is started again"
        )
        host.reply["reload"] = (422, {"error": "the config is wrong", "errors": ["c.yaml:3:5: unknown key"]})
        page.click("#reload")
        expect(page.get_by_role("alert").last).to_contain_text("c.yaml:3:5: unknown key")
        tab.shot("toasts")


def test_keyboard(browser: Browser, tmp_path: Path, host: PageServer) -> None:
    """Everything can be reached without a pointer, and focus is never lost."""
    with Tab(browser, tmp_path) as tab:
        page = tab.open(host.url)
        page.keyboard.press("/")
        expect(page.locator("#find")).to_be_focused()
        page.keyboard.type("worker")
        expect(page.locator("#rows tr:visible")).to_have_count(3)
        page.keyboard.press("Escape")
        expect(page.locator("#rows tr:visible")).to_have_count(12)
        page.locator("#rows a").first.focus()
        page.keyboard.press("ArrowDown")
        expect(page.locator("#rows a", has_text="mailer")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#p-name")).to_be_focused()
        expect(page.locator("#p-name")).to_have_text("mailer")
        assert page.url.endswith("#mailer")
        page.keyboard.press("Tab")
        expect(page.locator("#p-close")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator("#panel")).to_be_hidden()
        expect(page.locator("#rows a", has_text="mailer")).to_be_focused()
        tab.quiet()


def test_sort_and_filter(browser: Browser, tmp_path: Path, host: PageServer) -> None:
    """Problems come first; a click on a heading sorts, a click on a state shows only those in it."""
    with Tab(browser, tmp_path) as tab:
        page = tab.open(host.url)
        first = page.locator("#rows tr:visible a").first
        expect(first).to_have_text("worker-2")
        page.get_by_role("button", name="Memory").click()
        expect(first).to_have_text("postgres")
        expect(page.get_by_role("columnheader", name="Memory")).to_have_attribute("aria-sort", "descending")
        page.locator("#chips [data-state=backoff]").click()
        expect(page.locator("#rows tr:visible")).to_have_count(1)
        host.change("mailer", state="running", healthy=True, reason="")
        expect(page.locator("#none")).to_contain_text("No process matches")
        page.locator("#chips [data-state='']").click()
        expect(page.locator("#chips [data-state=running] b")).to_have_text("7")
        tab.quiet()


def test_changes_are_seen_and_said(browser: Browser, tmp_path: Path, host: PageServer) -> None:
    """A change of state is shown at once, said to who cannot see it, and is in the title."""
    with Tab(browser, tmp_path) as tab:
        page = tab.open(host.url)
        host.change("redis", state="failed", healthy=False, reason="exit code 9", pid=None, uptime=None)
        row = page.locator("#rows tr[data-name=redis]")
        expect(row).to_contain_text("failed")
        expect(row).to_contain_text("exit code 9")
        expect(page.locator("#say")).to_contain_text("redis is failed: exit code 9")
        expect(page.locator("#rows a").nth(1)).to_have_text("redis")
        host.tell("host", {**host.host, "shutdown": True})
        expect(page.locator("#verdict")).to_contain_text("Shutting down")
        expect(page).to_have_title("Shutting down · web-7d9f8b6c5-x2x9k · procwrap")
        host.tell("gone", {"name": "redis"})
        host.tell("process", {"process": shown("new")})
        expect(page.locator("#rows tr[data-name=redis]")).to_have_count(0)
        expect(page.locator("#rows tr[data-name=new]")).to_contain_text("running")
        tab.quiet()


def test_connection_lost_and_back(browser: Browser, tmp_path: Path, host: PageServer) -> None:
    """A cut line is told with its time; it comes back by itself, and what was missed is there."""
    with Tab(browser, tmp_path) as tab:
        page = tab.open(host.url)
        host.refuse = True
        host.cut()
        expect(page.locator("#lost")).to_contain_text("Connection lost at")
        expect(page.locator("#link")).to_have_text("Offline")
        tab.shot("lost")
        tab.accessible()
        del host.processes["redis"]
        host.processes["web"] = shown("web", "backoff", reason="missed")
        host.refuse = False
        page.get_by_role("button", name="Try now").click()
        expect(page.locator("#lost")).to_be_empty()
        expect(page.locator("#rows tr[data-name=web]")).to_contain_text("missed")
        expect(page.locator("#rows tr[data-name=redis]")).to_have_count(0)
        host.cut()  # and once more, without a hand
        expect(page.locator("#link")).to_have_text("Offline")
        expect(page.locator("#link")).to_have_text("Live")
        tab.quiet(network=True)


def test_log(browser: Browser, tmp_path: Path, host: PageServer) -> None:
    """The log can be filtered by a text or a pattern, paused, and wrapped; what is missing is said."""
    with Tab(browser, tmp_path, token=TOKEN) as tab:
        page = tab.open(f"{host.url}#web")
        lines, said = page.locator("#l-view .chunk > div"), next(host.log("web"))
        expect(lines).to_have_count(120)
        assert (
            page.evaluate(
                "(v => v.scrollHeight - v.scrollTop - v.clientHeight)(document.getElementById('l-view'))"
            )
            < 30
        )
        page.fill("#l-find", "CANNOT publish")
        expect(lines).to_have_count(sum("cannot" in line for line in said))
        expect(lines.first).to_have_class("bad")
        page.fill("#l-find", "/consumed \\d+|heart/")
        expect(lines).to_have_count(sum("consumed" in line or "heart" in line for line in said))
        page.fill("#l-find", "/(/")
        expect(page.locator("#l-find")).to_have_attribute("aria-invalid", "true")
        page.fill("#l-find", "")
        expect(lines).to_have_count(120)
        page.click("#l-pause")
        expect(page.locator("#l-note")).to_contain_text("Paused")
        page.click("#l-wrap")
        expect(page.locator("#l-view")).to_have_class("wrap")
        tab.quiet()
