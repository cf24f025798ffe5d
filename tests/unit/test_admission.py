"""The control socket and the token, as the host has them."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from procwrap.admission import ControlDoor, make_admits
from procwrap.core.events import Event, Level, Notice
from procwrap.spec.control import Control
from procwrap.web.access import NO_TOKEN, Access
from procwrap.web.controlsocket import NoControlSocketError, open_control
from tests.support.web import Host


class DoorTests(SynchronousTestCase):
    """A door that cannot be opened."""

    def setUp(self) -> None:
        self.board = Host().board
        self.told: list[Event] = []
        self.board.watch(lambda _, event: self.told.append(event))
        self.home = Path(self.mktemp())
        self.home.mkdir()
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.home)

    def door(self, path: str | None, *, required: bool = False) -> ControlDoor:
        reactor: Any = Clock()
        return ControlDoor(Control(socket=path, socket_required=required), self.board, reactor)

    def stays_closed(self, path: str) -> Notice:
        """Try to open one; return what is said about it, once the log is there."""
        door = self.door(path)
        door.listen()
        self.assertFalse(door.is_open)
        self.assertEqual(self.told, [])
        door.serve(None)
        door.tell()
        self.successResultOf(door.stop())
        [notice] = self.told
        assert isinstance(notice, Notice)
        return notice

    def test_no_place(self) -> None:
        """Many containers have none: that is no reason to worry."""
        self.assertIs(self.stays_closed("nowhere/x").level, Level.INFO)

    def test_somebody_else_has_it(self) -> None:
        """That is one."""
        theirs = open_control("x")
        self.addCleanup(theirs.listener.close)
        self.assertIs(self.stays_closed("x").level, Level.WARNING)
        self.assertTrue(Path("x").is_socket())
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect("x")

    def test_one_that_was_asked_for(self) -> None:
        """Without it procwrap does not start."""
        self.assertRaises(NoControlSocketError, self.door("nowhere/x", required=True).listen)

    def test_none(self) -> None:
        """Nothing is opened, and nothing is said."""
        door = self.door(None)
        door.listen()
        door.tell()
        self.assertFalse(door.is_open)
        self.assertEqual((self.told, os.listdir()), ([], []))


class AdmitsTests(SynchronousTestCase):
    """Who decides."""

    def test_without_a_token(self) -> None:
        """No token admits nobody, an empty one neither."""
        request: Any = DummyRequest([b""])
        for token in (None, ""):
            admits = make_admits(Control(token), Host().board, Clock())
            self.assertIs(admits(Access.OPERATOR, request), NO_TOKEN)
            self.assertIsNone(admits(Access.EVERYONE, request))
