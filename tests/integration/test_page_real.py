"""The status page of a real procwrap in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import Tab
from tests.support.hosted import Hosted, process

pytestmark = pytest.mark.integration

PLAN = {
    "api": {"token": "s3cret"},
    "processes": [
        process("web", "echo up; while :; do sleep 0.2; echo tick; done", restartPolicy="always"),
        process("job", "echo done", restartPolicy="onFailure"),
    ],
}


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Hosted]:
    """A procwrap that serves its page."""
    with Hosted(tmp_path, PLAN, http=True) as started:
        yield started.up()


def test_orders_and_logs(browser: Browser, tmp_path: Path, hosted: Hosted) -> None:
    """A restart that somebody asks for is seen as it happens, and the log goes on with the new process."""
    with Tab(browser, tmp_path, token="s3cret") as tab:
        page = tab.open(f"http://127.0.0.1:{hosted.port}/#web")
        expect(page.locator("#rows tr[data-name=job]")).to_contain_text("exited")
        expect(page.locator("#l-view")).to_contain_text("tick")
        before = page.locator("#p-facts dd").first.inner_text()
        assert int(before) == hosted.pid_of("web")
        page.click("#p-acts [data-act=restart]")
        page.click("#d-sure-yes")
        expect(page.locator("#toasts")).to_contain_text("web restarted: running, pid")
        expect(page.locator("#p-facts dd").first).not_to_have_text(before)
        expect(page.locator("#p-facts dd").first).to_have_text(str(hosted.pid_of("web")))
        page.click("#t-events")
        expect(page.locator("#e-list")).to_contain_text("started")
        page.click("#p-acts [data-act=stop]")
        page.click("#d-sure-yes")
        expect(page.locator("#rows tr[data-name=web]")).to_contain_text("stopped")
        expect(page.locator("#verdict")).to_contain_text("Not ready")
        tab.shot("real")
        tab.quiet()


def test_wrong_token(browser: Browser, tmp_path: Path, hosted: Hosted) -> None:
    """The real one refuses a wrong token, and the page says so; the right one unlocks."""
    with Tab(browser, tmp_path) as tab:
        page = tab.open(f"http://127.0.0.1:{hosted.port}/")
        page.click("#key")
        for given in ("wrong", "s3cret"):
            page.fill("#d-token-in", given)
            page.keyboard.press("Enter")
            expect(page.locator("#d-token-no" if given == "wrong" else "#key")).to_contain_text(
                "not the token" if given == "wrong" else "Unlocked"
            )
        tab.quiet(network=True)


def test_host_ends_and_comes_back(browser: Browser, tmp_path: Path, hosted: Hosted) -> None:
    """The page outlives procwrap: it says since when nobody answers, and goes on with the next one."""
    with Tab(browser, tmp_path) as tab:
        page = tab.open(f"http://127.0.0.1:{hosted.port}/")
        hosted.end()
        expect(page.locator("#lost")).to_contain_text("Connection lost at")
        home = tmp_path / "again"
        home.mkdir()
        environ = {"HEALTH_SOCKET": f"127.0.0.1:{hosted.port}"}
        with Hosted(home, PLAN, options=["--http", "on"], environment=environ) as again:
            again.up()
            expect(page.locator("#link")).to_have_text("Live")
            expect(page.locator("#verdict")).to_contain_text("Ready")
            expect(page.locator("#rows")).to_contain_text(f"pid {again.pid_of('web')}")
