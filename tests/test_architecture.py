"""Keeps the walls of docs/explanation/architecture.md standing: who may import whom, and a few rules more.

The walls are data at the top. Each rule below is a function from a parsed source to the breaches it sees,
so that the tests at the end can show it a bad source and see it object.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "procwrap"

# Floor -> what it may import besides the standard library and itself. A floor is a module or package
# directly below procwrap; other floors stand with a leading dot. What is not listed has no place yet.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "interfaces": {"zope", ".errors"},
    "spec": {"attrs", ".errors"},
    "core": {"attrs", ".spec", ".errors"},
    "logs": {"attrs", ".errors"},
    "dsn": {"attrs"},
    "config": {"attrs", "yaml", ".spec", ".core", ".dsn", ".errors"},
    "sinks": {"attrs", "twisted", "zope", ".logs", ".core", ".spec", ".interfaces", ".errors"},
    "probes": {
        *("attrs", "twisted", "treq", "zope", "OpenSSL", "psycopg2", "txpostgres", "pymysql", "pika", "h2"),
        *(".spec", ".core", ".dsn", ".interfaces", ".errors"),
    },
    "children": {"attrs", "twisted", "zope", "psutil", ".spec", ".core", ".interfaces", ".errors"},
    "pod": {"attrs", "twisted", "treq", "zope", "pyroscope", ".spec", ".core", ".interfaces", ".errors"},
    "lock": {"attrs", "twisted", "treq", "zope", ".spec", ".core", ".interfaces", ".errors"},
    "metrics": {"attrs", ".core"},
    "web": {
        "attrs",
        "twisted",
        "klein",
        "treq",
        "zope",
        ".metrics",
        ".core",
        ".spec",
        ".interfaces",
        ".errors",
    },
    # The composition root knows everyone and is known by nobody but the ways to start.
    "app": {"attrs", "twisted", "zope", ".*"},
    "checks": {"attrs", "twisted", ".*"},
    "conclusion": {"attrs", "twisted", ".*"},
    "coordinating": {"attrs", "twisted", ".*"},
    "graves": {"attrs", "twisted", ".*"},
    "podwatch": {"attrs", "twisted", ".*"},
    "podwiring": {"attrs", "twisted", "zope", ".*"},
    "abrupt": {"twisted"},
    "admission": {"attrs", "twisted", ".*"},
    "askwiring": {"attrs", "twisted", "zope", ".*"},
    "draining": {"attrs", "twisted", ".*"},
    "envoywait": {"attrs", "twisted", ".*"},
    "hooks": {"attrs", "twisted", "zope", ".*"},
    "inside": {"attrs", ".*"},
    "locketcd": {"attrs", "twisted", "zope", "OpenSSL", ".*"},
    "locking": {"attrs", "twisted", ".*"},
    "lockroutes": {"attrs", "twisted", ".*"},
    "lockserver": {"attrs", "twisted", ".*"},
    "optional": {"twisted", ".*"},
    "outputs": {"attrs", "twisted", ".*"},
    "posting": {"attrs", "twisted", ".*"},
    "postwiring": {"attrs", "twisted", "zope", ".*"},
    "prelude": {"attrs", ".*"},
    "pushing": {".*"},
    "measuring": {"attrs", "twisted", ".*"},
    "remembering": {"attrs", ".*"},
    "reloading": {"attrs", "twisted", ".*"},
    "residents": {"attrs", "twisted", ".*"},
    "scraping": {"attrs", "twisted", "zope", ".*"},
    "serving": {"attrs", "twisted", ".*"},
    "streams": {"attrs", "twisted", ".*"},
    "tls": {".spec"},
    # The ways to start.
    "wait": set(),
    "check": {".config", ".core", ".spec", ".errors"},
    "convert": {".config", ".spec", ".errors"},
    "schema": {".config", ".errors"},
    "collector": {"attrs", ".config", ".core", ".errors"},
    "client": {".config", ".core", ".errors"},
    "subcommands": {
        *(".config", ".core", ".errors", ".check", ".convert", ".schema", ".collector", ".client"),
    },
    "cli": {
        *("twisted", ".config", ".spec", ".errors", ".wait", ".subcommands", ".pod"),
        *(".tls", ".prelude", ".app", ".lockserver"),
    },
    "tap": {"twisted", ".config", ".spec", ".errors", ".prelude", ".app", ".lockserver", ".cli"},
    "__main__": {".cli"},
}
# The one package that has no floor: the version may be asked for everywhere.
EVERYWHERE = {f"{PACKAGE}.__version__"}

# Rule -> the modules that may do it all the same.
MAY_IMPORT_THE_REACTOR = {"procwrap.cli", "procwrap.tap"}
MAY_HAND_OUT_THE_WALL_CLOCK = {"procwrap.app", "procwrap.subcommands", "procwrap.lockserver"}
MAY_READ_ENVIRON = {"procwrap.config.variables"}
LONGEST_MODULE = 250

# Start -> what importing it must not bring along; imports inside functions are the way to have it later.
STARTS_WITHOUT: dict[str, set[str]] = {
    "procwrap.cli": {"twisted", "klein", "treq", "zope", "attrs", "yaml", "http"},
    "procwrap.client.shell": {"twisted", "klein", "treq", "zope", "attrs", "yaml", "json", "threading"},
    "procwrap.client.status": {"twisted", "klein", "treq", "zope", "attrs", "yaml", "threading"},
    "procwrap.wait": {"twisted", "klein", "treq", "zope", "attrs", "yaml"},
    "procwrap.check": {"twisted", "klein", "treq", "zope"},
    "procwrap.convert": {"twisted", "klein", "treq", "zope"},
    "procwrap.schema": {"twisted", "klein", "treq", "zope", "yaml"},
    "procwrap.collector": {"twisted", "klein", "treq", "zope", "yaml"},
    "procwrap.prelude": {"twisted", "klein", "treq", "zope", "yaml"},
    "procwrap.app": {"klein", "treq", "OpenSSL", "yaml"},
    "procwrap.tap": {"klein", "treq", "OpenSSL"},
}


class Source(NamedTuple):
    """One module of the package, parsed."""

    module: str
    path: str
    text: str
    tree: ast.Module

    def __repr__(self) -> str:
        """Name the module only: pytest shows its arguments when a test fails."""
        return f"<{self.module}>"

    @property
    def floor(self) -> str:
        """The module or package directly below procwrap that this one belongs to."""
        return self.module.removeprefix(PACKAGE).removeprefix(".").split(".")[0]


class Import(NamedTuple):
    """One imported name, with its line and whether it is imported with the module or by a function."""

    name: str
    line: int
    at_once: bool


Rule = Callable[[Source], Iterator[str]]


def parse(module: str, text: str, path: str | None = None) -> Source:
    """Parse a source as the module of that name."""
    where = path or module.replace(".", "/") + ".py"
    return Source(module, where, text, ast.parse(text, where))


def sources() -> list[Source]:
    """Every module of the package as it lies in this checkout."""
    found = []
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(parse(module, path.read_text(encoding="utf-8"), str(path.relative_to(ROOT))))
    return found


def is_later(node: ast.AST) -> bool:
    """Whether what stands inside is not run when the module is imported."""
    if isinstance(node, ast.If):
        return ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def imports(source: Source) -> Iterator[Import]:
    """Every name that is imported: of ``from a.b import c`` it is ``a.b.c``."""
    late = {id(inner) for outer in ast.walk(source.tree) if is_later(outer) for inner in ast.walk(outer)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield Import(name, node.lineno, id(node) not in late)


def walls(source: Source) -> Iterator[str]:
    """Who may import whom."""
    if source.module == PACKAGE:
        return
    if source.floor not in MAY_IMPORT:
        yield f"{source.path}:1: the floor {source.floor!r} is not in MAY_IMPORT: say what it may import"
        return
    allowed = MAY_IMPORT[source.floor]
    for name, line, _ in imports(source):
        top, _, rest = name.partition(".")
        if name.startswith("."):
            yield f"{source.path}:{line}: import {name} by its full name"
        elif top in sys.stdlib_module_names or name in EVERYWHERE:
            continue
        elif top == PACKAGE:
            other = rest.split(".")[0]
            if other != source.floor and not {f".{other}", ".*"} & allowed:
                yield f"{source.path}:{line}: {source.floor} may not import {name}"
        elif top not in allowed:
            yield f"{source.path}:{line}: {source.floor} may not import {name}"


def global_reactor(source: Source) -> Iterator[str]:
    """The reactor is passed in; only the two ways to start know the global one."""
    if source.module in MAY_IMPORT_THE_REACTOR:
        return
    for name, line, _ in imports(source):
        if name == "twisted.internet.reactor" or name.startswith("twisted.internet.reactor."):
            yield f"{source.path}:{line}: the global reactor is imported: take it as an argument"


def wall_clock(source: Source) -> Iterator[str]:
    """The wall clock jumps: durations come from the reactor, the time of day from a ``now`` passed in."""
    if source.module in MAY_HAND_OUT_THE_WALL_CLOCK:
        return
    for name, line, _ in imports(source):
        if name == "time.time":
            yield f"{source.path}:{line}: time.time is imported: use the reactor or a passed now"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "time.time":
            yield f"{source.path}:{node.lineno}: time.time is used: use the reactor or a passed now"


def environment(source: Source) -> Iterator[str]:
    """Only config/variables reads the environment."""
    if source.module in MAY_READ_ENVIRON:
        return
    forbidden = {"os.environ", "os.environb", "os.getenv", "os.getenvb"}
    for name, line, _ in imports(source):
        if name in forbidden:
            yield f"{source.path}:{line}: {name} is imported: only {', '.join(MAY_READ_ENVIRON)} may"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in forbidden:
            yield f"{source.path}:{node.lineno}: {ast.unparse(node)} is read: take it as an argument"


def length(source: Source) -> Iterator[str]:
    """A module is one idea."""
    lines = source.text.count("\n")
    if lines > LONGEST_MODULE:
        yield f"{source.path}:{LONGEST_MODULE}: {lines} lines; past {LONGEST_MODULE} it is two modules"


def bare_packages(source: Source) -> Iterator[str]:
    """An ``__init__.py`` holds a docstring and nothing else (the top one the version besides)."""
    if not source.path.endswith("__init__.py"):
        return
    if ast.get_docstring(source.tree) is None:
        yield f"{source.path}:1: a package says in its docstring what it is for"
    for node in source.tree.body[1:]:
        if not (source.module == PACKAGE and ast.unparse(node).startswith("__version__ = ")):
            yield f"{source.path}:{node.lineno}: an __init__.py holds only its docstring"


RULES: tuple[Rule, ...] = (walls, global_reactor, wall_clock, environment, length, bare_packages)


def brought_along(start: str, modules: dict[str, Source]) -> Iterator[tuple[str, str]]:
    """Follow imports that happen at import time.

    Yields:
        Each foreign top-level package once, with the place that imports it.
    """
    todo, seen, foreign = [start], {start}, set()
    while todo:
        source = modules[todo.pop()]
        for name, line, at_once in imports(source):
            if not at_once:
                continue
            top = name.split(".")[0]
            if top == PACKAGE:
                steps = name.split(".")
                loaded = {".".join(steps[:count]) for count in range(1, len(steps) + 1)} & modules.keys()
                todo.extend(loaded - seen)
                seen |= loaded
            elif top not in foreign:
                foreign.add(top)
                yield top, f"{source.path}:{line}"


def breaches(rule: Rule, given: Iterable[Source]) -> list[str]:
    """All that a rule has to say about these sources."""
    return [breach for source in given for breach in rule(source)]


@pytest.fixture(scope="module")
def package() -> list[Source]:
    """The package of this checkout, parsed once."""
    return sources()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps(rule: Rule, package: list[Source]) -> None:
    """The package breaks none of its own rules."""
    found = breaches(rule, package)
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("start", STARTS_WITHOUT)
def test_start_stays_light(start: str, package: list[Source]) -> None:
    """Nothing heavy is imported before it is needed: children start before Klein and treq are read."""
    modules = {source.module: source for source in package}
    assert start in modules, f"{start} is named in STARTS_WITHOUT but does not exist"
    found = [f"{where}: {start} brings {top}" for top, where in brought_along(start, modules)]
    heavy = [line for line in found if line.rsplit(" ", 1)[1] in STARTS_WITHOUT[start]]
    assert not heavy, "\n" + "\n".join(heavy)


def test_no_floor_is_listed_in_vain(package: list[Source]) -> None:
    """The table describes the house as it is, without rooms that were never built."""
    assert set(MAY_IMPORT) == {source.floor for source in package if source.module != PACKAGE}


def test_the_page_describes_the_same_walls() -> None:
    """docs/explanation/architecture.md grants each floor what the table here grants it, and no more."""
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)/` \|.*\| ([\w, ]+) \|$", page, re.MULTILINE))
    assert rows.keys() == {
        path.name for path in (ROOT / PACKAGE).iterdir() if (path / "__init__.py").exists()
    }
    # What nearly every floor is written with, and what comes with Twisted, may go without saying.
    unsaid = {"attrs", "zope", "OpenSSL"}
    said = {floor: set(words.split(", ")) - unsaid for floor, words in rows.items()}
    assert said == {floor: {name.lstrip(".") for name in MAY_IMPORT[floor]} - unsaid for floor in rows}


BAD = [
    (walls, "procwrap.core.board", "import twisted.internet.task"),
    (walls, "procwrap.core.board", "def late():\n    from twisted.python import log"),
    (walls, "procwrap.core.board", "from procwrap.children.spawn import spawn"),
    (walls, "procwrap.core.board", "from procwrap import children"),
    (walls, "procwrap.logs.lines", "from procwrap.spec.logs import LogFormat"),
    (walls, "procwrap.sinks.stdout", "from procwrap.children.fleet import Fleet"),
    (walls, "procwrap.web.site", "from ..children import fleet"),
    (walls, "procwrap.spec.plan", "import yaml"),
    (walls, "procwrap.attic.trunk", "import os"),
    (global_reactor, "procwrap.app", "from twisted.internet import reactor"),
    (global_reactor, "procwrap.app", "def late():\n    import twisted.internet.reactor"),
    (global_reactor, "procwrap.app", "from twisted.internet.reactor import callLater"),
    (wall_clock, "procwrap.core.policy", "import time\nnow = time.time()"),
    (wall_clock, "procwrap.core.policy", "from time import time"),
    (wall_clock, "procwrap.core.policy", "import time\ndef build(now=time.time): ..."),
    (environment, "procwrap.children.spawn", "import os\nos.environ['HOME']"),
    (environment, "procwrap.children.spawn", "import os\nos.environ.copy()"),
    (environment, "procwrap.children.spawn", "from os import environ"),
    (environment, "procwrap.children.spawn", "import os\nos.getenv('HOME')"),
    (length, "procwrap.core.board", "x = 1\n" * (LONGEST_MODULE + 1)),
]


@pytest.mark.parametrize(("rule", "module", "text"), BAD)
def test_a_rule_objects(rule: Rule, module: str, text: str) -> None:
    """Each rule sees the bad source it is there for, and names its file and a line."""
    found = breaches(rule, [parse(module, text)])
    assert len(found) == 1, found
    assert found[0].startswith(module.replace(".", "/") + ".py:")


GOOD = [
    (
        walls,
        "procwrap.core.board",
        "import os.path\nfrom attrs import frozen\nimport procwrap.core.events",
    ),
    (walls, "procwrap.app", "from procwrap.web.site import listen\nfrom procwrap import __version__"),
    (global_reactor, "procwrap.cli", "def entry():\n    from twisted.internet import reactor"),
    (global_reactor, "procwrap.app", "from twisted.internet.task import LoopingCall"),
    (wall_clock, "procwrap.core.policy", "import time\nlast = time.monotonic()\nspec.time.total"),
    (environment, "procwrap.config.variables", "import os\nos.environ.get('CONFIG')"),
    (length, "procwrap.core.board", "x = 1\n" * LONGEST_MODULE),
]


@pytest.mark.parametrize(("rule", "module", "text"), GOOD)
def test_a_rule_is_content(rule: Rule, module: str, text: str) -> None:
    """No rule objects to what is allowed."""
    assert breaches(rule, [parse(module, text)]) == []


@pytest.mark.parametrize("text", ['"""Words."""\nfrom os import path\n', "x = 1\n", ""])
def test_a_package_with_content_is_seen(text: str) -> None:
    """Code in an ``__init__.py``, or one without a docstring, is a breach."""
    assert breaches(bare_packages, [parse("procwrap.core", text, "procwrap/core/__init__.py")])


def test_what_comes_along_is_followed_through_modules() -> None:
    """A heavy import is found behind another module, and not found inside a function."""
    given = {
        "procwrap.cli": "import procwrap.app\ndef late():\n    import treq",
        "procwrap.app": "from procwrap.web import site\nif TYPE_CHECKING:\n    import yaml",
        "procwrap.web": "",
        "procwrap.web.site": "import klein",
    }
    modules = {module: parse(module, text) for module, text in given.items()}
    assert dict(brought_along("procwrap.cli", modules)) == {"klein": "procwrap/web/site.py:1"}
