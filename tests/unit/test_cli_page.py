"""docs/reference/cli.md says what the command line takes: every subcommand, option and variable."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from procwrap.client.commands import COMMANDS, REACHING
from procwrap.config import environment, lockserving
from procwrap.config.options import OPTIONS
from procwrap.spec.plan import Given
from procwrap.subcommands import SUBCOMMANDS
from tests.support.checkout import ROOT

PAGE = (ROOT / "docs/reference/cli.md").read_text("utf-8")
PUBLIC = sorted(name for name in SUBCOMMANDS if not name.startswith("_"))
ELSEWHERE = {"help", "listen-udp", "nodaemon", "pidfile"}
"""What is no option of procwrap's own table: help everywhere, one of ``events``, and those of twistd."""


class Asked(dict[str, str]):
    """An environment that keeps the names it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.names.add(name)
        return default

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return False


def section(name: str) -> str:
    """The section of a subcommand, which some share."""
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    return "".join(each for each in sections if re.match(rf"procwrap (.*[ ,])?{name}\b", each))


def constants() -> Iterator[str]:
    """Every text in the code that could be the name of a variable."""
    for path in (ROOT / "procwrap").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def in_tables() -> set[str]:
    """The variables that stand in the first or second cell of a row."""
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
    cells = [cell for row in rows for cell in row[:2]]
    return {name for cell in cells for name in re.findall(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)`", cell)} - {
        "DUR"
    }


@pytest.mark.parametrize("name", PUBLIC)
def test_every_subcommand_is_there(name: str) -> None:
    """In the table at the top, with a section of its own."""
    assert re.search(rf"^\| [^|]*`(procwrap )?{name}\b", PAGE, re.MULTILINE)
    assert section(name).strip()


def test_no_other_subcommand_is_there() -> None:
    """Neither in the table nor as a section."""
    named = set(re.findall(r"`procwrap ([a-z]+)", PAGE))
    for heading in re.findall(r"^## procwrap (.*)$", PAGE, re.MULTILINE):
        named |= set(re.findall(r"[a-z]+", heading)) - {"and"}
    assert named == set(PUBLIC)


@pytest.mark.parametrize("name", sorted(set(PUBLIC) & set(COMMANDS)))
def test_every_option_of_a_subcommand_is_there(name: str) -> None:
    """In its section; how procwrap is reached stands there once for all of them."""
    common = {option.name for option in REACHING}
    own = [option.name for option in COMMANDS[name].options if option.name not in common]
    assert [each for each in own if f"--{each}" not in section(name)] == []
    assert [each for each in common if not re.search(rf"^\| `--{each}\b", PAGE, re.MULTILINE)] == []


def test_no_other_option_is_there() -> None:
    """Whatever the page writes with two dashes exists."""
    known = {name for option in OPTIONS for name in (option.name, option.also)}
    known |= {option.name for command in COMMANDS.values() for option in command.options}
    assert set(re.findall(r"(?<![\w-])--([a-z][a-z-]*)", PAGE)) - known - ELSEWHERE == set()


def test_the_defaults_are_told() -> None:
    """Each option's row has the default that --help names."""
    rows = {match[1]: match[0] for match in re.finditer(r"^\| `--([\w-]+).*$", PAGE, re.MULTILINE)}
    wrong = [option.name for option in OPTIONS if option.default not in rows[option.name]]
    assert wrong == []


def test_every_variable_is_there() -> None:
    """Whatever the environment is asked for stands in a table."""
    asked = Asked()
    environment.parse(asked)
    lockserving.resolve(Given(), Given(), asked)
    assert len(asked.names) > 60
    assert asked.names - in_tables() == set()


def test_no_other_variable_is_there() -> None:
    """A name in a table is one that the code knows."""
    known = set(constants()) | {option.variable for option in OPTIONS}
    assert in_tables() - known == set()
