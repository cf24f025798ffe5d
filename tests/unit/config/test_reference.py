"""The reference pages say what the code does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from procwrap.config.options import OPTIONS, Option
from procwrap.config.schema import schema
from procwrap.core import difference
from procwrap.errors import ExitStatus
from tests.support.configs import plan_of
from tests.support.docscripts import script

ROOT = Path(__file__).parents[3]
CONFIG = (ROOT / "docs/reference/config.md").read_text("utf-8")
CLI = (ROOT / "docs/reference/cli.md").read_text("utf-8")
COMPLETE = re.findall(r"<!-- complete -->\n```yaml\n(.*?)```", CONFIG, re.DOTALL)


TABLES = script("config_tables")


def accepted_keys() -> Iterator[str]:
    """Every key that the code takes out of a mapping."""
    for path in sorted((ROOT / "procwrap/config").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="take" | "require"), args=[ast.Constant(value=str(key)), *_]
                ):
                    yield key


@pytest.mark.parametrize("key", sorted(set(accepted_keys())))
def test_every_key_is_documented(key: str) -> None:
    """Whatever a config may hold stands in a table of the page, and in its complete example."""
    assert re.search(rf"^\| \[?`([\w.*]+\.)?{key}`", CONFIG, re.MULTILINE)
    assert re.search(rf"\b{key}:", COMPLETE[1])


def test_the_keys_were_found() -> None:
    """The test above is not empty by mistake."""
    assert len(set(accepted_keys())) > 60


def test_the_tables_are_those_of_the_schema() -> None:
    """A change of the keys without `python docs/config_tables.py` is found out."""
    assert TABLES.filled(CONFIG, schema()) == CONFIG


def test_every_key_stands_in_a_table() -> None:
    """Under the name of the mapping that it is in, at least once."""
    tables = TABLES.tables(schema())
    assert sorted(tables) == sorted(re.findall(r"^<!-- keys: (\w+) -->$", CONFIG, re.MULTILINE))
    shown = {path[-2:] for rows in tables.values() for path, _, _ in rows}
    for name in ("config", "process"):
        for path, value, _ in TABLES.rows(schema()["$defs"][name]):
            assert path[-2:] in shown or path[-1:] in shown, (path, value)


def test_what_says_more_belongs_to_a_key() -> None:
    """No link is left out since its key is called otherwise."""
    shown = {".".join(path) for rows in TABLES.tables(schema()).values() for path, _, _ in rows}
    assert set(TABLES.MORE) <= shown


@pytest.mark.parametrize("text", COMPLETE, ids=["list", "everything"])
def test_complete_examples_load(text: str) -> None:
    """What the page calls complete can be pasted and checked."""
    assert plan_of(text).warnings == ()


def test_the_quickstart_loads() -> None:
    """So can the example that the README runs."""
    assert len(plan_of((ROOT / "docs/examples/quickstart.yaml").read_bytes()).processes) == 3


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_option_is_documented(option: Option) -> None:
    """Each option stands in the table of the page, with its variable."""
    row = next(line for line in CLI.splitlines() if line.startswith(f"| `--{option.name}"))
    assert (option.variable in row) == option.from_environment


@pytest.mark.parametrize("status", ExitStatus)
def test_every_exit_code_is_documented(status: ExitStatus) -> None:
    """Each exit code of procwrap's own stands in the table of the page."""
    assert re.search(rf"^\|( \d+,)? {int(status)}\b", CLI, re.MULTILINE)


def test_what_a_reload_restarts_is_told() -> None:
    """The page names each key for which a process is started again, and each that it takes over."""
    page = (ROOT / "docs/reference/reload.md").read_text("utf-8")
    begun, _, alive = page.partition("A process has from its beginning:")[2].partition("Everything else it")
    assert set(re.findall(r"`([\w.]+)`", begun)) - {"notify"} == set(difference._BORN_WITH.values())
    rows = re.findall(r"^\| (`.*?) \|", alive.partition("What counts")[0], re.MULTILINE)
    assert set(re.findall(r"`([\w.]+)`", "".join(rows))) == set(difference._ALIVE.values())
