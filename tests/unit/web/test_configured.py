"""What operators see of procwrap itself, through the real application."""

from __future__ import annotations

import json
from typing import Any

from attrs import evolve
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from procwrap.spec.control import Control
from procwrap.spec.plan import Plan, Settings
from procwrap.spec.process import ProcessSpec
from procwrap.web.channel import Channel
from procwrap.web.configured import AT_ONCE, Inside
from procwrap.web.site import make_site
from tests.support.web import Host, Wire, connect

TOKEN = "Zx9-very-secret"


class ConfiguredTests(SynchronousTestCase):
    """A host with a config full of secrets."""

    def setUp(self) -> None:
        self.host = Host(token=TOKEN)
        self.plan = Plan(
            (
                ProcessSpec(
                    "api", "api", ("--password", TOKEN), envs=(("DB_PASSWORD", TOKEN), ("PORT", "80"))
                ),
                ProcessSpec("db", "db"),
            )
        )
        self.stats = {"memoryBytes": 1}
        inside = Inside(
            lambda: self.plan,
            Settings(control=Control(TOKEN, socket="/run/x.sock"), shared_lock_url=f"http://u:{TOKEN}@x"),
            {"PATH": "/bin", "PROCWRAP_API_TOKEN": TOKEN},
            lambda: self.stats,
        )
        self.site = make_site(evolve(self.host.view, inside=inside))

    def begin(self, path: str) -> tuple[Channel, Wire]:
        channel, wire = connect(self.site)
        channel.dataReceived(f"GET {path} HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        return channel, wire

    def turn(self) -> None:
        """Let everything be written."""
        for _ in range(300):
            self.host.clock.advance(0)

    def ask(self, path: str) -> Any:
        _, wire = self.begin(path)
        self.turn()
        self.assertEqual(wire.codes, [200])
        body = wire.value().partition(b"\r\n\r\n")[2].decode()
        self.assertTrue(body.endswith("\n"))
        self.assertNotIn(TOKEN, body)
        return json.loads(body)

    def test_the_whole_config(self) -> None:
        """It consists of the parts that can be had by themselves."""
        whole = self.ask("/config")
        self.assertEqual(list(whole), ["dialect", "api", "settings", "processes"])
        self.assertEqual(whole["dialect"], "native")
        self.assertEqual(whole["api"], self.ask("/config/api"))
        self.assertEqual(whole["processes"], self.ask("/config/daemons"))
        self.assertEqual(whole["settings"], self.ask("/config/pidzero"))

    def test_the_api(self) -> None:
        """Where it is served, and that there is a token, but not which."""
        self.assertEqual(
            self.ask("/config/api"),
            {
                "socket": ":8111",
                "controlSocket": "/run/x.sock",
                "token": "***",
                "tokenFile": None,
                "tls": None,
            },
        )

    def test_the_processes(self) -> None:
        """As they were asked for, with every default filled in."""
        api, db = self.ask("/config/daemons")
        self.assertEqual(
            (api["args"], api["envs"]), (["--password", "***"], {"DB_PASSWORD": "***", "PORT": "***"})
        )
        self.assertEqual((db["name"], db["restart"]["policy"]), ("db", "always"))

    def test_the_config_in_force(self) -> None:
        """After a reload it is the new one."""
        self.plan = Plan((ProcessSpec("new", "new"),), dialect="pidzero")
        self.assertEqual([process["name"] for process in self.ask("/config/daemons")], ["new"])
        self.assertEqual(self.ask("/config")["dialect"], "pidzero")

    def test_no_processes(self) -> None:
        """An empty list is one."""
        self.plan = Plan(())
        self.assertEqual(self.ask("/config/daemons"), [])

    def test_thousands_of_processes(self) -> None:
        """They are written a little at a time; so many answers at once, and no more."""
        self.plan = Plan(tuple(ProcessSpec(f"p{number}", "x") for number in range(200)))
        begun = [self.begin("/config")[1] for _ in range(AT_ONCE)]
        self.assertEqual(self.begin("/config")[1].codes, [503])
        self.assertEqual([wire.codes for wire in begun], [[]] * AT_ONCE)
        self.turn()
        self.assertEqual([wire.codes for wire in begun], [[200]] * AT_ONCE)
        self.assertEqual(len(self.ask("/config/daemons")), 200)

    def test_leaving(self) -> None:
        """A client that leaves makes room."""
        for _ in range(3 * AT_ONCE):
            channel, wire = self.begin("/config")
            channel.connectionLost(Failure(ConnectionDone()))
            self.assertEqual(wire.codes, [])
        self.ask("/config")

    def test_the_environment(self) -> None:
        """Lines of NAME=value."""
        self.assertEqual(self.ask("/env"), ["PATH=/bin", "PROCWRAP_API_TOKEN=***"])

    def test_stats(self) -> None:
        """Figures, taken at this moment."""
        self.assertEqual(self.ask("/stats"), {"memoryBytes": 1})
        self.stats = {"memoryBytes": 2}
        self.assertEqual(self.ask("/stats"), {"memoryBytes": 2})
