from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from procwrap.config import plugins
from procwrap.spec.probe import Check, FileProbe, PluginProbe
from tests.support.configs import messages_of, problems_of, process_of
from tests.support.packages import install

GOOD = """
class Probe:
    default_timeout = 1.5

    @staticmethod
    def configure(settings):
        return dict(settings)
"""
COUNTER = itertools.count()
Plug = Callable[..., str]


@pytest.fixture
def plug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plug:
    """Install a package of the given code, whose class ``Probe`` is the probe of the given key."""

    def installed(code: str = GOOD, key: str = "redis", version: str = "1.0") -> str:
        # Modules stay imported; so each has a name of its own.
        name = f"plug{next(COUNTER)}"
        install(tmp_path / name, name, {key: f"{name}:Probe"}, code, version=version)
        monkeypatch.syspath_prepend(tmp_path / name)
        return name

    return installed


def found(keys: str) -> tuple[Any, ...]:
    check = process_of(f"readiness: {{{keys}}}").readiness
    assert check is not None
    return check.probes


def wrong(keys: str) -> list[str]:
    return [line.removeprefix("readiness.") for line in messages_of(f"readiness: {{{keys}}}")]


def test_settings(plug: Plug) -> None:
    """A plugin gets plain values, less the timeout and what is the user's own."""
    name = plug()
    [probe] = found("redis: {a: 1, b: [x, null, {c: 1.5}], x-mine: 1, timeout: 3s}")
    assert probe.factory is sys.modules[name].Probe
    assert probe.settings == {"a": 1, "b": ["x", None, {"c": 1.5}]}
    assert (probe.key, probe.timeout) == ("redis", 3.0)


@pytest.mark.parametrize("empty", ["redis: ", "redis: null", "redis: {}"])
def test_without_settings(plug: Plug, empty: str) -> None:
    """It may be left empty; the timeout is the plugin's own then."""
    name = plug()
    assert found(empty) == (PluginProbe("redis", sys.modules[name].Probe, {}, 1.5),)


def test_default_timeout(plug: Plug) -> None:
    """A plugin that says nothing about it gets five seconds."""
    plug(GOOD.replace("default_timeout = 1.5", ""))
    assert found("redis: ")[0].timeout == 5.0


def test_order(plug: Plug) -> None:
    """In a round they come behind ours, by name; each check may have them."""
    plug(key="zoo")
    plug(key="ant-1")
    probes = found("zoo: {}, ant-1: {}, file: {path: /x}")
    assert [getattr(probe, "key", None) for probe in probes] == [None, "ant-1", "zoo"]
    assert isinstance(process_of("liveness: {zoo: }").liveness, Check)


def test_only_asked_when_needed(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    """A config without foreign keys reads no metadata and imports no plugin."""
    name = plug()

    def never() -> None:
        raise AssertionError

    monkeypatch.setattr(plugins, "installed", never)
    assert found("file: {path: /x}, x-redis: {}") == (FileProbe("/x"),)
    assert name not in sys.modules


def test_read_once_until_something_is_installed(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metadata is read once for a thousand checks, and again after an installation."""
    asked: list[str] = []
    real = plugins.entry_points
    monkeypatch.setattr(plugins, "entry_points", lambda group: (asked.append(group), real(group=group))[1])
    plug()
    found("redis: ")
    # Importing the plugin has made a __pycache__, which is taken for something that was installed.
    found("redis: ")
    asked.clear()
    for _ in range(100):
        found("redis: ")
    assert asked == []
    plug(key="later")
    found("later: ")
    assert asked == ["procwrap.probes"]


def test_unknown_keys(plug: Plug) -> None:
    """A key that nobody has is the error that it always was; what is installed is among the advice."""
    assert wrong("htpp: {url: x}") == ["htpp: unknown key: did you mean http?"]
    plug(key="certificate")
    assert wrong("certificat: {}") == ["certificat: unknown key: did you mean certificate?"]
    [line] = wrong("zzz: {}")
    assert line.endswith("notify, lock, certificate")


@pytest.mark.parametrize(
    "key", ["http", "notify", "period", "restartOnFailure", "lock", "x-y", "1st", "a b", "a" * 61]
)
def test_names_that_no_plugin_has(plug: Plug, key: str) -> None:
    """Ours cannot be replaced, and what is no name for a key is passed over."""
    name = plug(key=key)
    assert any("unknown key" in line for line in wrong("zzz: {}"))
    assert wrong("file: {path: /x}, http: {url: 'http://x'}") == []
    assert wrong("file: {path: /x}, lock: {}") == []
    assert name not in sys.modules


CONFIGURE = """
class Probe:
    @staticmethod
    def configure(settings):
        {}
"""


PLACES = """\
- name: app
  entrypoint: run
  readiness:
    redis:
      port: 99999
      tls: {ca: /x}
      hosts:
        - a
        - b
"""


@pytest.mark.parametrize(
    ("complaint", "line"),
    [
        ("port: too high", "5:13: processes[0].readiness.redis.port: too high"),
        ("tls.ca: no file", "6:17: processes[0].readiness.redis.tls.ca: no file"),
        ("hosts[1]: no host", "9:11: processes[0].readiness.redis.hosts[1]: no host"),
        ("hosts[7].x: no host", "8:9: processes[0].readiness.redis.hosts[7].x: no host"),
        ("address: is missing", "5:7: processes[0].readiness.redis.address: is missing"),
        ("this is wrong: very", "5:7: processes[0].readiness.redis: this is wrong: very"),
        ("", "5:7: processes[0].readiness.redis: cannot be used"),
        ("two\\nlines \\x1b", "5:7: processes[0].readiness.redis: two lines \\x1b"),
    ],
)
def test_complaints(plug: Plug, complaint: str, line: str) -> None:
    """A ValueError is told like any error of ours, at the key that it names."""
    plug(CONFIGURE.format(f'raise ValueError("{complaint}")'))
    assert problems_of(PLACES) == [f"app.yaml:{line}"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "import no_such_module",
            "cannot be imported: ModuleNotFoundError: No module named 'no_such_module'",
        ),
        ("raise SystemExit(3)", "cannot be imported: SystemExit: 3"),
        ("Prob = 1", "cannot be imported: AttributeError: module 'plug"),
        ("this is no Python", "cannot be imported: SyntaxError: invalid syntax"),
        (CONFIGURE.format("return settings['nix']"), "cannot read this: KeyError: 'nix'"),
        (CONFIGURE.format("raise SystemExit"), "cannot read this: SystemExit"),
        (CONFIGURE.format("assert False, 'x' * 10_000"), "cannot read this: AssertionError: xxxx"),
        ("class Probe: pass", "is no class with configure(): tell its author"),
        ("Probe = 7", "is no class with configure(): tell its author"),
        (GOOD.replace("1.5", "True"), "has a default_timeout that is no number of seconds: tell its author"),
        (GOOD.replace("1.5", "0"), "has a default_timeout that is no number of seconds: tell its author"),
        (GOOD.replace("1.5", "'5s'"), "has a default_timeout that is no number of seconds: tell its author"),
    ],
)
def test_broken_plugins(plug: Plug, code: str, said: str) -> None:
    """Whatever is wrong with a plugin is one line that names its package."""
    name = plug(code, version="2.3")
    [line] = wrong("redis: {}")
    assert line.startswith(f"redis: the probe of {name} 2.3 {said}")
    assert len(line) < 400


def test_wrong_settings(plug: Plug) -> None:
    """What is wrong before the plugin is asked is told by us, all at once."""
    plug(CONFIGURE.format("raise AssertionError"))
    assert wrong("redis: 7") == ["redis: expected a mapping, got a number"]
    assert wrong("redis: {timeout: 5, port: 010}") == [
        "redis.timeout: expected a duration such as 10s or 1m30s, got 5: a bare number has no unit",
        "redis.port: expected no zero in front of a number, some read that as octal: quote it if it is text",
    ]


def test_two_of_one_name(plug: Plug) -> None:
    """Two packages that want the same key have to be sorted out by who installed them."""
    first, second = plug(), plug()
    [line] = wrong("redis: {}")
    assert (
        line == f"redis: {first} 1.0 and {second} 1.0 both bring a probe of this name: uninstall one of them"
    )


@pytest.mark.parametrize("raised", ["ValueError('password: ' + str(settings))", "KeyError(str(settings))"])
def test_secrets(plug: Plug, raised: str) -> None:
    """A plugin that quotes its settings gives away no secret of them."""
    plug(CONFIGURE.format(f"raise {raised}"))
    secrets = "password: hunter2, auth: {users: [hunter3]}, url: 'redis://:hunter4@h/', pin-token: 12345"
    [line] = wrong(f"redis: {{{secrets}, host: shown}}")
    assert "hunter" not in line
    assert "12345" not in line
    assert "shown" in line


def test_secrets_for_later(plug: Plug) -> None:
    """The probe is told what not to say, and shows none of it by itself."""
    plug()
    [probe] = found(
        "redis: {password: hunter2, tokens: [t0ps3cret, 1234, true, null, abc], keyed: 1.5, a: b}"
    )
    assert set(probe.secrets) == {"hunter2", "t0ps3cret", "1234"}
    assert "hunter2" not in repr(probe)
