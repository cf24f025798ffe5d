"""The words in which operations of the API are described (OpenAPI 3.1)."""

from __future__ import annotations

from typing import Any

from procwrap.web.openapischemas import TEXT, Schema, ref

Operation = dict[str, Any]

JSON = "application/json"
PLAIN = "text/plain"
STREAM = "text/event-stream"


def answer(words: str, *contents: tuple[str, Schema]) -> Schema:
    """What comes with one status code: nothing, or one of these contents."""
    if not contents:
        return {"description": words}
    return {"description": words, "content": {kind: {"schema": schema} for kind, schema in contents}}


def json(words: str, schema: Schema) -> Schema:
    """A JSON body."""
    return answer(words, (JSON, schema))


def error(words: str) -> Schema:
    """A JSON body that says what is wrong."""
    return json(words, ref("Error"))


def argument(name: str, words: str, schema: Schema = TEXT, *, required: bool = False) -> Schema:
    """An argument of the query."""
    return {"name": name, "in": "query", "required": required, "description": words, "schema": schema}


def operation(words: str, answers: dict[int, Schema], *parameters: Schema) -> Operation:
    """One method of one path."""
    taken: Operation = {"parameters": list(parameters)} if parameters else {}
    return {"summary": words, **taken, "responses": {str(code): said for code, said in answers.items()}}


NONE = answer("there is none")
NO_PROCESS = error("no process of this name")
DURATION: Schema = {"type": "string", "pattern": r"^[0-9]{1,4}(ms|s|m)$", "examples": ["30s"]}
