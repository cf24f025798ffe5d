"""/api/openapi.json: whole, true, and nothing in it that there is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from treq.testing import StubTreq
from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.events import ProbeResult, RoundEnded, UsageSampled
from procwrap.core.limits import Usage
from procwrap.logs.recent import Recent
from procwrap.spec.process import ProcessSpec
from procwrap.web.limits import Limits
from procwrap.web.openapioperations import OPERATIONS
from procwrap.web.openapischemas import STATES
from procwrap.web.site import make_front
from tests.support.fleets import FakeFleet
from tests.support.web import WALL, Host


def references(value: Any) -> Iterator[str]:
    """Find every reference to a shape."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from [inner] if key == "$ref" else references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


class DescriptionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.host = Host(
            token="s3cret",
            fleet=FakeFleet(),
            specs={"api": ProcessSpec("api", "/bin/api", ("--password=x",))},
            recents={"api": Recent(), "db": Recent()},
        )
        self.host.all_up()
        self.client = StubTreq(make_front(self.host.view, Limits()))
        self.described = self.answer("/api/openapi.json", token=False)[1]

    def answer(self, target: str, method: str = "GET", *, token: bool = True) -> tuple[int, Any]:
        headers = {"Authorization": "Bearer s3cret"} if token else {}
        asked = self.client.request(method, f"http://procwrap:8111{target}", headers=headers)
        self.client.flush()
        self.host.clock.advance(0)
        self.client.flush()
        response = self.successResultOf(asked)
        body = self.successResultOf(response.text())
        kind = response.headers.getRawHeaders("content-type", [""])[0]
        return response.code, json.loads(body) if kind.startswith("application/json") else body

    def operations(self) -> dict[str, Any]:
        return {
            f"{method.upper()} {path}": operation
            for path, methods in self.described["paths"].items()
            for method, operation in methods.items()
        }

    def test_every_route_is_described(self) -> None:
        """The description is made from the route table: each line has words, and there are no others."""
        self.assertEqual(self.operations().keys(), OPERATIONS.keys())
        self.assertTrue(all(operation["summary"] for operation in self.operations().values()))

    def test_who_may_ask(self) -> None:
        """What needs the token is refused without it, and everything else is not."""
        for name, operation in self.operations().items():
            method, _, path = name.partition(" ")
            if path != "/live":
                code, _ = self.answer(path.format(name="api"), method, token=False)
                self.assertEqual(code == 401, operation["security"] == [{"token": []}], name)

    def test_references(self) -> None:
        """What is referred to is there, and everything that is there is referred to."""
        there = {f"#/components/schemas/{name}" for name in self.described["components"]["schemas"]}
        self.assertEqual(set(references(self.described)), there)

    def test_shapes(self) -> None:
        """Every shape is a JSON Schema."""
        for schema in self.described["components"]["schemas"].values():
            Draft202012Validator.check_schema(schema)

    def test_names_of_operations(self) -> None:
        """They are what generated clients call their functions: each is there once."""
        names = [operation["operationId"] for operation in self.operations().values()]
        self.assertEqual(len(set(names)), len(names))
        self.assertIn("post_api_processes_name_restart", names)

    def test_parts_of_paths(self) -> None:
        """Each is described as a parameter."""
        for name, operation in self.operations().items():
            parts = [taken["name"] for taken in operation["parameters"] if taken["in"] == "path"]
            self.assertEqual(parts, ["name"] if "{name}" in name else [], name)

    def test_states(self) -> None:
        """All that a process can be in."""
        from procwrap.core.lifecycle import State

        self.assertEqual(sorted(STATES), sorted(state.value for state in State))

    def test_answers_are_as_described(self) -> None:
        """Each JSON answer has exactly the shape that the description gives it."""
        self.host.spawned("api", 31)
        self.host.board.tell(UsageSampled({"api": Usage(4096, 1.0, 1, 1, None)}))
        result = ProbeResult("tcp", False, "refused", 0.1)
        self.host.board.tell(RoundEnded("api", "readiness", (result,), 1, 3, True, False, WALL))
        for target, method in (
            *(("/status?full", "GET"), ("/status", "GET"), ("/readiness", "GET"), ("/heartbeat", "GET")),
            *(("/api/processes", "GET"), ("/api/processes/{name}", "GET"), ("/api/events", "GET")),
            *(("/config/api", "GET"), ("/config/pidzero", "GET"), ("/env", "GET"), ("/stats", "GET")),
            *(("/heartbeat?name=db", "PUT"), ("/api/processes/{name}/signal?signal=HUP", "POST")),
            *(("/api/processes/{name}/stop?wait=false", "POST"), ("/pids", "GET"), ("/ping", "GET")),
        ):
            code, body = self.answer(target.format(name="api"), method)
            said = self.operations()[f"{method} {target.partition('?')[0]}"]["responses"][str(code)]
            schema = said["content"]["application/json"]["schema"]
            whole = {**schema, "components": self.described["components"]}
            self.assertEqual(list(Draft202012Validator(whole).iter_errors(body)), [], target)
