"""A real Chromium, and a tab of it that remembers everything it complains about."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.support.hosted import PATIENCE

CHROMIUM = "/usr/bin/chromium"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
NETWORK = "Failed to load resource"
"""What Chromium itself says of an answer of 400 or more, and of no answer."""

WATCH = """
window.refusedByPolicy = [];
document.addEventListener('securitypolicyviolation', event =>
  refusedByPolicy.push(event.violatedDirective + ' ' + event.blockedURI));
"""


def kept(home: Path) -> Path:
    """Return the folder of what people may want to look at later: in tox's own, where there is one."""
    folder = Path(os.environ.get("TOX_WORK_DIR", home)) / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def noted(home: Path, figures: str) -> None:
    """Keep what was measured."""
    with open(kept(home) / "figures.txt", "a", encoding="utf-8") as notes:
        notes.write(f"{figures}\n")


@contextmanager
def launched() -> Iterator[Browser]:
    """Start Chromium, without a window."""
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--enable-precise-memory-info"],
        )
        yield browser
        browser.close()


class Tab:
    """A tab with nothing kept from others.

    Attributes:
        page: as Playwright has it.
        errors: what the console and the page complained about.
    """

    def __init__(self, browser: Browser, home: Path, *, token: str = "", **settings: Any) -> None:
        self.home = home
        self.errors: list[str] = []
        self._context = browser.new_context(locale="en-GB", **{"viewport": DESK, **settings})
        self._context.set_default_timeout(PATIENCE * 1000)
        if settings.get("java_script_enabled", True):
            self._context.add_init_script(WATCH)
            if token:
                self._context.add_init_script(f"sessionStorage.setItem('procwrap-token', {token!r})")
        self.page: Page = self._context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def __enter__(self) -> Tab:
        return self

    def __exit__(self, *error: object) -> None:
        self._context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def open(self, url: str) -> Page:
        """Load a page, and wait until it is up to date."""
        self.page.goto(url)
        expect(self.page.locator("#link")).to_have_text("Live")
        return self.page

    def until(self, expression: str) -> Any:
        """Wait until an expression is true, and return it; Playwright's own way needs a forbidden eval."""
        deadline = time.monotonic() + PATIENCE
        while not (found := self.page.evaluate(expression)):
            assert time.monotonic() < deadline, f"never true: {expression}"
            self.page.wait_for_timeout(20)
        return found

    def shot(self, name: str) -> None:
        """Keep a picture of what is seen now."""
        self.page.screenshot(path=kept(self.home) / f"{name}.png")

    def quiet(self, *, network: bool = False) -> None:
        """Check that nothing was complained about; answers of 400 and more may have been, where expected."""
        heard = [text for text in self.errors if not (network and text.startswith(NETWORK))]
        assert heard == []
        assert self.page.evaluate("refusedByPolicy") == []

    def accessible(self) -> None:
        """Check the page as it is now with axe-core."""
        found = Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))
