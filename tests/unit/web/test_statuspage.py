"""The status page as it is served: what is in it, and how browsers keep it."""

from __future__ import annotations

import gzip
import re
from types import SimpleNamespace
from typing import Any

from treq.testing import StubTreq
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from procwrap.core.events import End
from procwrap.core.lifecycle import State
from procwrap.web.limits import Limits
from procwrap.web.pagefiles import FILES, FOLDER, POLICY
from procwrap.web.site import make_front
from procwrap.web.statuspage import MOST_ROWS, StatusPage
from tests.support.web import WALL, Host

MOST = 60 * 1024
"""Bytes of everything that a browser loads, not compressed."""


class PageTests(SynchronousTestCase):
    """A browser that asks a host."""

    def setUp(self) -> None:
        self.host = Host()
        self.client = StubTreq(make_front(self.host.view, Limits()))

    def ask(self, target: str = "/", method: str = "GET", **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.successResultOf(
            self.client.request(method, f"http://procwrap:8111{target}", headers=sent)
        )

    def body(self, response: Any) -> bytes:
        return self.successResultOf(response.content())

    def page(self) -> str:
        return self.body(self.ask()).decode()

    def header(self, response: Any, name: str) -> str:
        return response.headers.getRawHeaders(name, [""])[0]


class TableTests(PageTests):
    def test_rows(self) -> None:
        """The page holds a row for each process, with what is known, before any script has run."""
        self.host.all_up()
        self.host.spawned("db", 4711)
        self.host.becomes("api", State.UNHEALTHY, "http://x/: 503")
        rows = re.findall(r'<tr role="row" data-name="(\w+)" data-tone="(\w+)"', self.page())
        self.assertEqual(rows, [("api", "bad"), ("db", "ok")])
        self.assertIn("http://x/: 503", self.page())
        self.assertIn("pid 4711", self.page())

    def test_the_verdict(self) -> None:
        """It says whether traffic comes and, if not, because of whom."""
        self.assertIn("<strong>Not ready</strong> <span>nothing was started yet</span>", self.page())
        self.host.all_up()
        self.assertIn("<strong>Ready</strong> <span>all 2 processes are fine</span>", self.page())
        self.host.becomes("api", State.STANDBY)
        self.assertIn("<span>1 fine, 1 standing by</span>", self.page())
        self.host.becomes("db", State.BACKOFF, "exit code 3")
        self.assertIn("<span>db: exit code 3</span>", self.page())
        self.host.becomes("api", State.FAILED)
        self.assertIn("<span>api: failed, and 1 more</span>", self.page())
        self.host.becomes("api", State.STARTING)
        self.host.becomes("db", State.WAITING)
        self.assertIn('data-tone="busy"', self.page())
        self.host.shut_down()
        self.assertIn("<strong>Shutting down</strong>", self.page())

    def test_texts_are_escaped(self) -> None:
        """Whatever a process is called, or says of itself, it adds nothing to the page."""
        self.host.names = ('"><script>alert(1)</script>', "$x & {y}")
        self.host.declare()
        self.host.becomes(self.host.names[0], State.FAILED, "<b>'\"\udcff$name</b>")
        text = self.page()
        self.assertEqual(text.count("<script"), 1)
        self.assertNotIn("<b>'", text)
        self.assertIn("&lt;b&gt;&#x27;&quot;?$name&lt;/b&gt;", text)
        self.assertIn('href="#%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E"', text)

    def test_the_last_exit(self) -> None:
        """A row tells how the last run ended."""
        self.host.declare()
        self.host.ended("api", End(3))
        self.assertRegex(self.page(), r'data-f="exit">exit code 3, \d+s ago<')

    def test_a_thousand(self) -> None:
        """Of very many processes those with problems are in the page, and how many more there are."""
        self.host.names = tuple(f"p{number}" for number in range(1000))
        self.host.declare()
        for name in self.host.names[:-1]:
            self.host.becomes(name, State.RUNNING)
        self.host.becomes("p999", State.FAILED)
        text = self.page()
        self.assertEqual(text.count('<tr role="row" data-name="p'), MOST_ROWS)
        self.assertIn('data-name="p999"', text)
        self.assertIn("And 700 more.", text)

    def test_it_is_written_anew(self) -> None:
        """Who loads the page again sees what has happened since."""
        self.host.all_up()
        before = self.ask()
        self.assertEqual(self.ask(If_None_Match=self.header(before, "etag")).code, 304)
        self.host.becomes("api", State.STOPPED)
        after = self.ask(If_None_Match=self.header(before, "etag"))
        self.assertEqual(after.code, 200)
        self.assertIn("stopped", self.body(after).decode())

    def test_through_the_control_socket(self) -> None:
        """There the page knows that no token is needed; who comes next by another way does not profit."""
        page = StatusPage(self.host.board, self.host.clock, lambda: WALL)
        for is_control in (False, True, False):
            request = DummyRequest([])
            request.channel = SimpleNamespace(site=SimpleNamespace(is_control=is_control))
            admitted = b"yes" if is_control else b"no"
            self.assertIn(b'data-admitted="%s"' % admitted, page.show(request).body)


class FileTests(PageTests):
    def test_nothing_but_its_own_files(self) -> None:
        """The page may load its own files alone, and has no script or style within."""
        response = self.ask()
        self.assertEqual(self.header(response, "content-security-policy"), POLICY.decode())
        text = self.body(response).decode()
        loaded = re.findall(r'(?:src|href)="(?!#|data:)([^"]*)"', text)
        self.assertTrue(loaded)
        for path in loaded:
            self.assertEqual(self.ask(path).code, 200, path)
        self.assertNotRegex(text, r"<style|\bstyle=|\bon\w+=|<script(?! type=\"module\" src)")

    def test_modules_find_each_other(self) -> None:
        """Every import of a script names a file that is served, and something that it exports."""
        scripts = {
            name: kept.plain.decode().replace("...", " ")
            for name, kept in FILES.items()
            if name.endswith(".js")
        }
        imported = set()
        for text in scripts.values():
            for names, source in re.findall(r"^import \{(.*?)\} from '\./(.*?)';$", text, re.M | re.S):
                imported.add(source)
                for name in re.split(r",\s*", names):
                    word = rf"(?<![\w$.]){re.escape(name)}(?![\w$])"
                    self.assertRegex(
                        scripts[source], rf"(?m)^export (const .*|let |(async )?function ){word}"
                    )
                    self.assertGreater(len(re.findall(word, text)), 1, f"{name} of {source} is not used")
        self.assertEqual(imported | {"main.js"}, set(scripts))

    def test_types_and_lengths(self) -> None:
        """Scripts and styles are what they say they are."""
        for name, kept in FILES.items():
            response = self.ask(f"/page/{name}")
            kind = "text/css" if name.endswith(".css") else "text/javascript"
            self.assertEqual(self.header(response, "content-type"), f"{kind}; charset=utf-8")
            self.assertEqual(self.body(response), kept.plain)

    def test_compressed(self) -> None:
        """Who takes gzip gets it, under the same name; who does not, does not."""
        kept = FILES["main.js"]
        for accepted, packed in (
            *(("gzip", True), ("br, gzip;q=0.5", True), ("*", True)),
            *(("", False), ("br", False), ("gzip;q=0", False), ("gzip; q=0.0", False)),
        ):
            request = DummyRequest([])
            request.requestHeaders.setRawHeaders("accept-encoding", [accepted])
            reply = kept.reply(request)
            self.assertEqual((b"Content-Encoding", b"gzip") in reply.headers, packed, accepted)
            self.assertEqual(gzip.decompress(reply.body) if packed else reply.body, kept.plain)
            self.assertIn((b"Vary", b"Accept-Encoding"), reply.headers)
        self.assertLess(sum(len(one.packed or one.plain) for one in FILES.values()), 24 * 1024)

    def test_kept_by_browsers(self) -> None:
        """A file that has not changed is not sent again."""
        tag = self.header(self.ask("/page/main.js"), "etag")
        for condition in (tag, f'"x", {tag}', tag.removeprefix("W/"), "*"):
            response = self.ask("/page/main.js", If_None_Match=condition)
            self.assertEqual((response.code, self.body(response)), (304, b""))
            self.assertEqual(self.header(response, "etag"), tag)
            self.assertEqual(self.header(response, "content-type"), "")
        self.assertEqual(self.ask("/page/main.js", If_None_Match='"x"').code, 200)

    def test_head(self) -> None:
        """HEAD works."""
        response = self.ask("/", "HEAD")
        self.assertEqual((response.code, self.body(response)), (200, b""))

    def test_nothing_else(self) -> None:
        """There is nothing else below /page/, whatever path it is tried with."""
        for path in ("index.html", "row.html", "", "x.js", "..%2Fsite.py", "../site.py", "%2e%2e/x"):
            self.assertEqual(self.ask(f"/page/{path}").code, 404, path)

    def test_small(self) -> None:
        """All that a browser loads is at most 60 KB, before it is compressed."""
        sizes = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
        self.assertLessEqual(sum(sizes.values()), MOST, sizes)
