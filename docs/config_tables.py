"""Writes the tables of docs/reference/config.md from the JSON Schema:  python docs/config_tables.py.

A table stands between ``<!-- keys: NAME -->`` and ``<!-- end -->``. What a key means is said in
procwrap/config/meanings.py; here stand only the places in this documentation that say more.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "config.md"

MORE = {
    "api.token": "[who is let in](http.md#who-is-let-in)",
    "logs.loki": "[Loki](loki.md)",
    "events": "[Events](events.md)",
    "events.elasticsearch": "[Events](events.md#elasticsearch-and-opensearch)",
    "envsFile": "[below](#env-files)",
    "sql.dsn": "[`sql`](probes/sql.md)",
    "amqp.dsn": "[`amqp`](probes/amqp.md)",
    "logFormat": "[Logs](logs.md)",
    "restartPolicy": "[Lifecycle](lifecycle.md)",
    "postStart": "[Hooks](hooks.md)",
    "preStop": "[Hooks](hooks.md)",
    "memoryLimitMB": "[Lifecycle](lifecycle.md#memory-limit)",
    "promTarget": "[/prommerge](prommerge.md)",
    "tombstone": "[Tombstones](tombstones.md)",
    "deathDeps": "[Tombstones](tombstones.md)",
    "birthDeps": "[The other containers](pod.md#birth-dependencies)",
    "readiness": "[Checks](#checks)",
    "liveness": "[Checks](#checks)",
    "startup": "[Checks](#checks)",
    "sysProcAttr": "[below](#sysprocattr)",
}
"""Where more is said, by the key's path."""

Schema = dict[str, Any]
Row = tuple[tuple[str, ...], Schema, bool]
"""The path of a key, what it takes, and whether it has to be given."""


def rows(part: Schema, path: tuple[str, ...] = ()) -> Iterator[Row]:
    """Walk all keys of a definition, those of a mapping after the mapping."""
    for option in part.get("anyOf", ()):
        yield from rows(option, path)
    if "items" in part:
        yield from rows(part["items"], path)
    for key, value in part.get("properties", {}).items():
        if path[-1:] == ("rlimits",):
            if key == "nofile":
                yield from rows(value, (*path, "*"))
        elif value:
            yield (*path, key), value, key in part.get("required", ())
            yield from rows(value, (*path, key))


def tables(schema: Schema) -> dict[str, list[Row]]:
    """Which keys stand in which table."""
    whole, process = (list(rows(schema["$defs"][name])) for name in ("config", "process"))
    checks = [(path[1:], value, must) for path, value, must in process if path[0] == "readiness" and path[1:]]
    probes = {path[0] for path, value, _ in checks if _is_mapping(value)}
    apart = ("readiness", "liveness", "startup", "postStart", "preStop", "sysProcAttr")
    return {
        "whole": [row for row in whole if len(row[0]) == 1],
        "sections": [row for row in whole if len(row[0]) > 1],
        "process": [row for row in process if len(row[0]) == 1],
        "parts": [row for row in process if len(row[0]) > 1 and row[0][0] not in apart],
        "sysProcAttr": [
            (path[1:], value, must) for path, value, must in process if path[0] == "sysProcAttr" and path[1:]
        ],
        "check": [row for row in checks if row[0][0] not in probes],
        "probes": [row for row in checks if row[0][0] in probes and len(row[0]) == 1],
        "settings": [row for row in checks if row[0][0] in probes and len(row[0]) > 1],
        "hooks": [row for row in process if row[0][0] in ("postStart", "preStop") and len(row[0]) == 2],
    }


def filled(page: str, schema: Schema) -> str:
    """Return the page with its tables made anew."""
    found = tables(schema)
    others = schema["$defs"]["process"]["properties"]["liveness"]["properties"]

    def table(match: re.Match[str]) -> str:
        name = match[1]
        if name == "probes":
            lines = ["| probe | succeeds when |", "| --- | --- |"]
            lines += [_probe(path[0], value) for path, value, _ in found[name]]
        else:
            lines = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
            default = _default if name != "check" else _default_of_check(others)
            lines += [_line(row, default) for row in found[name]]
        return f"<!-- keys: {name} -->\n" + "\n".join(lines) + "\n<!-- end -->"

    return re.sub(r"<!-- keys: (\w+) -->\n.*?<!-- end -->", table, page, flags=re.DOTALL)


def kind(value: Schema) -> str:
    """Say in a word or two what a key takes."""
    from procwrap.config import schemakinds as kinds

    named = {
        "text": kinds.TEXT, "any text": kinds.LITERAL, "`true`, `false`": kinds.BOOLEAN,
        "duration": kinds.DURATION, "size": kinds.SIZE, "`host:port`": kinds.HOST_PORT, "URL": kinds.URL,
        "signal": kinds.SIGNAL, "number or name": kinds.ACCOUNT, "octal": kinds.UMASK,
        "number, size or `unlimited`": kinds.LIMIT, "names to texts": kinds.PAIRS,
    }  # fmt: skip
    bare = {key: said for key, said in value.items() if key not in ("description", "default")}
    for name, known in named.items():
        if bare == known:
            return name
    if "$ref" in bare:
        return "list" if bare["$ref"].endswith("processes") else "name"
    if "enum" in bare:
        words: dict[str, str] = {}
        for word in bare["enum"]:
            words.setdefault(word.lower(), word)
        return ", ".join(f"`{word}`" for word in words.values())
    if "anyOf" in bare:
        return " or ".join(dict.fromkeys(kind(option) for option in bare["anyOf"]))
    if "items" in bare:
        return _list(kind(bare["items"]))
    if _is_mapping(bare):
        return "mapping"
    if "maximum" in bare:
        return f"{bare['minimum']:,} to {bare['maximum']:,}"
    return "text" if bare["type"] == "string" else "number or text"


def _list(item: str) -> str:
    said = {
        "text or mapping": "list of names or mappings",
        "text": "list of texts",
        "any text": "list of any text",
    }
    return said.get(item, f"list of: {item}")


def _is_mapping(value: Schema) -> bool:
    return "properties" in value or any("properties" in option for option in value.get("anyOf", ()))


def _line(row: Row, default: Callable[[str, Schema, bool], str]) -> str:
    path, value, must = row
    name = ".".join(path)
    cells = (f"`{name}`", kind(value), default(path[-1], value, must), _meaning(value) + _more(name))
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _probe(name: str, value: Schema) -> str:
    page = f"probes/{name.lower()}.md"
    empty = " (it may be left empty)" if "null" in value["type"] else ""
    return f"| [`{name}`]({page}) | {_meaning(value).removeprefix('succeeds when ')}{empty} |"


def _meaning(value: Schema) -> str:
    return str(value["description"]).partition("; without it: ")[0]


def _more(name: str) -> str:
    if name not in MORE:
        return ""
    return f". See {MORE[name]}"


def _default(_: str, value: Schema, must: bool) -> str:
    if must:
        return "required"
    if "default" in value:
        said = value["default"]
        return f"`{said}`" if isinstance(said, str) else f"`{json.dumps(said)}`"
    return str(value["description"]).partition("; without it: ")[2]


def _default_of_check(others: Schema) -> Callable[[str, Schema, bool], str]:
    def default(key: str, value: Schema, must: bool) -> str:
        mine, theirs = _default(key, value, must), _default(key, others[key], must)
        return mine if mine == theirs else f"{mine}; {theirs} in `liveness` and `startup`"

    return default


def main() -> None:
    """Write the page."""
    sys.path.insert(0, str(ROOT))
    from procwrap.config.schema import schema

    PAGE.write_text(filled(PAGE.read_text("utf-8"), schema()), "utf-8")


if __name__ == "__main__":
    main()
