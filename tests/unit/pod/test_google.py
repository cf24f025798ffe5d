from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from procwrap.pod.ask import AskError
from procwrap.pod.google import Google
from tests.support.asked import Asked

URL = "http://metadata/instance/preempted"


class GoogleTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.asked = Asked()
        self.google = Google(URL, URL, self.asked)

    def look(self, status: int = 200, body: bytes = b"FALSE", **headers: str) -> str:
        """Let it look once and see this."""
        looked = self.google.look()
        self.asked.answer(status, body, **{"metadata_flavor": "Google", **headers})
        return self.successResultOf(looked)

    def fails(self, status: int = 200, body: bytes = b"FALSE", **headers: str) -> str:
        """Return why a look fails."""
        looked = self.google.look()
        self.asked.answer(status, body, **{"metadata_flavor": "Google", **headers})
        return str(self.failureResultOf(looked, AskError).value)

    def test_it_waits_for_a_change(self) -> None:
        """The first answer comes at once, the next when the value is another than that."""
        self.assertEqual(self.look(etag="a1"), "")
        self.assertEqual(self.look(body=b"TRUE\n"), "Google takes this machine back")
        urls = [request.url.partition("?") for request in self.asked.heard]
        waits = "wait_for_change=true&timeout_sec=60&last_etag="
        self.assertEqual([url[0] for url in urls], [URL, URL])
        self.assertEqual([url[2] for url in urls], [waits + "NONE", waits + "a1"])
        first = self.asked.heard[0]
        self.assertEqual((first.method, first.headers["Metadata-Flavor"]), ("GET", "Google"))
        self.assertGreater(first.timeout, 60)

    def test_after_a_failure_it_does_not_wait(self) -> None:
        """What changed meanwhile is known at once."""
        self.look(etag="a1")
        self.fails(503)
        self.look(etag="a2")
        self.assertTrue(self.asked.heard[-1].url.endswith("last_etag=NONE"))

    def test_an_etag_that_means_harm(self) -> None:
        """It stays one parameter of the URL, and a long one is not sent back."""
        self.look(etag="x&alt=json#\r\n")
        self.look(etag="y" * 1000)
        self.assertTrue(self.asked.heard[-1].url.endswith("last_etag=x%26alt%3Djson%23%0D%0A"))
        self.look()
        self.assertTrue(self.asked.heard[-1].url.endswith("last_etag=NONE"))

    def test_a_query_of_its_own(self) -> None:
        """That of METADATA_URL is kept."""
        self.google = Google(URL + "?a=b", URL, self.asked)
        self.look()
        self.assertIn("/preempted?a=b&wait_for_change=true&", self.asked.heard[-1].url)

    def test_what_is_no_answer(self) -> None:
        """Another status, another server, another word: none of them says FALSE."""
        self.assertEqual(self.fails(404), "404, expected 200")
        self.assertEqual(self.fails(500), "500, expected 200")
        self.assertIn("Metadata-Flavor", self.fails(metadata_flavor=""))
        self.assertEqual(self.fails(body=b"may\x1bbe"), "expected TRUE or FALSE, got 'MAY BE'")
        self.assertLess(len(self.fails(body=b"\xff" * 100_000)), 100)
