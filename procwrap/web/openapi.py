"""/api/openapi.json: the description of every route, made from the route table itself (OpenAPI 3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import define, field
from twisted.web.iweb import IRequest

from procwrap import __version__
from procwrap.web.answers import Reply, data
from procwrap.web.openapioperations import OPERATIONS
from procwrap.web.openapischemas import SCHEMAS, Schema
from procwrap.web.openapiwords import Operation, error
from procwrap.web.routing import Access, Route

_PART = re.compile(r"<(?:\w+:)?(\w+)>")

_REFUSALS = {
    "401": error("no token, or a wrong one"),
    "403": error("no token is configured, and the request did not come through the control socket"),
    "503": error("the token cannot be read"),
}

_TOKEN: Schema = {
    "type": "http",
    "scheme": "bearer",
    "description": "The token of api.token or api.tokenFile; not needed through the control socket.",
}


@define(eq=False)
class Description:
    """Describes the routes; written when it is first asked for."""

    routes: Iterable[Route] = ()
    _reply: Reply | None = field(init=False, default=None)

    def asked(self, _: IRequest) -> Reply:
        """Answer with the description."""
        if self._reply is None:
            self._reply = data(described(self.routes))
        return self._reply


def described(routes: Iterable[Route]) -> Schema:
    """Return the description of these routes.

    One without an entry in the table of operations is there all the same, without words.
    """
    paths: dict[str, Schema] = {}
    for route in routes:
        path = _PART.sub(r"{\1}", route.path)
        for method in route.methods:
            paths.setdefault(path, {})[method.lower()] = _operation(route, method, path)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "procwrap",
            "version": __version__,
            "description": 'HEAD works wherever GET does. Errors are JSON: {"error": "…"}.',
        },
        "paths": paths,
        "components": {"schemas": SCHEMAS, "securitySchemes": {"token": _TOKEN}},
    }


def _operation(route: Route, method: str, path: str) -> Operation:
    said = OPERATIONS.get(f"{method} {path}", {"responses": {"default": {"description": "an answer"}}})
    is_operators = route.access is Access.OPERATOR
    return {
        **said,
        "operationId": f"{method.lower()}{re.sub(r'[^0-9A-Za-z]+', '_', path).rstrip('_')}",
        "parameters": [*_parts(route), *said.get("parameters", ())],
        "security": [{"token": []}] if is_operators else [],
        "responses": {
            "400": error("more than 20 arguments, or one that cannot be"),
            **(_REFUSALS if is_operators else {}),
            **said["responses"],
        },
    }


def _parts(route: Route) -> list[Schema]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _PART.findall(route.path)
    ]
