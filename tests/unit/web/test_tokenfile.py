"""A token in a file, which comes, changes and goes while we run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.token import LONGEST
from procwrap.web.access import TokenUnreadableError, fingerprint
from procwrap.web.tokenfile import FRESH, PATIENCE, TokenFile, read_token

SECRET = b"Zx9-very-secret"


class TokenFileTests(SynchronousTestCase):
    """A file whose readings come when the test says."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.readings: list[Deferred[bytes]] = []
        self.warnings: list[str] = []
        self.file = TokenFile("/run/token", self.ask, self.clock, self.warnings.append)

    def ask(self, read: Callable[[str], bytes], path: str) -> Deferred[bytes]:
        self.assertEqual((read, path), (read_token, "/run/token"))
        self.readings.append(Deferred())
        return self.readings[-1]

    def known(self, token: bytes = SECRET) -> None:
        """Ask, and have the file read."""
        current: Any = self.file.current()
        self.readings[-1].callback(token)
        self.assertEqual(self.successResultOf(current), fingerprint(token))

    def unknown(self, error: Exception) -> None:
        """Ask, and have the file not be read."""
        current: Any = self.file.current()
        self.readings[-1].errback(error)
        self.failureResultOf(current, TokenUnreadableError)

    def test_read_once_in_a_while(self) -> None:
        """However many ask, the file is read once a second, and not at all when nobody asks."""
        self.known()
        for _ in range(1000):
            self.assertEqual(self.file.current(), fingerprint(SECRET))
        self.assertEqual(len(self.readings), 1)
        self.clock.advance(60 * FRESH)
        self.assertEqual(len(self.readings), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_the_first_time(self) -> None:
        """It is said at the start if the file cannot be read, before anybody asks."""
        self.file.begin()
        self.readings[-1].errback(PermissionError(13, "Permission denied"))
        [warning] = self.warnings
        self.assertIn("/run/token: permission denied", warning)
        self.assertRaises(TokenUnreadableError, self.file.current)

    def test_a_new_token(self) -> None:
        """A token that was replaced admits nobody, from the first request on that comes a second later."""
        self.known()
        self.clock.advance(FRESH)
        self.known(b"another")
        self.assertEqual(self.file.current(), fingerprint(b"another"))

    def test_a_file_that_goes(self) -> None:
        """Nobody is admitted; it is said once, and again when it goes once more."""
        self.known()
        for _ in range(3):
            self.clock.advance(FRESH)
            self.unknown(FileNotFoundError(2, "No such file or directory"))
            self.assertRaises(TokenUnreadableError, self.file.current)
        [warning] = self.warnings
        self.assertEqual(
            warning,
            "cannot read the API token from /run/token: no such file or directory; "
            "until that works, no token admits anybody",
        )
        self.clock.advance(FRESH)
        self.known()
        self.clock.advance(FRESH)
        self.unknown(FileNotFoundError(2, "No such file or directory"))
        self.assertEqual(self.warnings, [warning, warning])

    def test_a_disk_that_does_not_answer(self) -> None:
        """A request waits for seconds only, and is not admitted by a token that may be an old one."""
        self.known()
        self.clock.advance(FRESH)
        current: Any = self.file.current()
        self.clock.advance(PATIENCE)
        self.failureResultOf(current, TokenUnreadableError)
        self.assertIn("in time", self.warnings[0])

    def test_a_client_that_leaves(self) -> None:
        """It says nothing about the file."""
        self.known()
        self.clock.advance(FRESH)
        current: Any = self.file.current()
        current.cancel()
        self.failureResultOf(current, CancelledError)
        self.assertEqual((self.warnings, self.clock.getDelayedCalls()), ([], []))
        self.known()

    def test_no_thread(self) -> None:
        """Without a thread to read it in, nobody is admitted, and nothing breaks."""

        def ask(*_: object) -> Deferred[bytes]:
            raise RuntimeError("can't start new thread")

        file = TokenFile("/run/token", ask, self.clock, self.warnings.append)
        self.assertRaises(TokenUnreadableError, file.current)
        self.assertEqual(len(self.warnings), 1)

    def test_it_is_not_shown(self) -> None:
        """Neither the token nor what it is compared by is in the repr."""
        self.known()
        shown = repr(self.file)
        self.assertNotIn(repr(fingerprint(SECRET)), shown)
        self.assertNotIn(SECRET.decode(), shown)


@pytest.mark.parametrize("content", [SECRET, SECRET + b"\n", SECRET + b"\r\n", SECRET + b"\n\n"])
def test_newlines_at_the_end(tmp_path: Path, content: bytes) -> None:
    """They are not part of the token: echo writes one."""
    path = tmp_path / "token"
    path.write_bytes(content)
    assert read_token(str(path)) == SECRET


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\n", "it is empty"),
        (SECRET + b" x", "expected one token"),
        (SECRET + b"\n" + SECRET, "expected one token"),
        (b"\xff" + SECRET, "expected one token"),
        (SECRET + b"\0", "expected one token"),
        (b"x" * (LONGEST + 1), "it is larger"),
    ],
)
def test_no_token(tmp_path: Path, content: bytes, reason: str) -> None:
    """A file with anything else holds no token; what it holds is not told."""
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=reason) as caught:
        read_token(str(path))
    assert SECRET.decode() not in str(caught.value)


def test_no_regular_file(tmp_path: Path) -> None:
    """A FIFO holds nobody up, and neither it nor a directory is a token."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (fifo, tmp_path, Path("/dev/null")):
        with pytest.raises(ValueError, match="no regular file"):
            read_token(str(path))
