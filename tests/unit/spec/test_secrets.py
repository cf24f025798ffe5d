from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import attrs
import pytest

import procwrap.dsn
import procwrap.spec
from procwrap.probes.secrets import looks_secret
from procwrap.spec.envoy import Envoy
from procwrap.spec.events import Elasticsearch
from procwrap.spec.hook import CommandHook
from procwrap.spec.loki import Loki
from procwrap.spec.preemption import Cloud, Preemption
from procwrap.spec.probe import AmqpProbe, EnvProbe, ExecProbe, HttpProbe, PluginProbe, SqlProbe
from procwrap.spec.process import ProcessSpec
from procwrap.spec.quitting import QuitRequest

SECRET = "Zx9-very-secret"
PAIRS = (("PGPASSWORD", SECRET),)
HOLDERS = [
    HttpProbe(f"http://localhost/ready?token={SECRET}", headers=(("Authorization", f"Bearer {SECRET}"),)),
    ExecProbe("check", envs=PAIRS),
    EnvProbe("PASSWORD", SECRET),
    SqlProbe(dsn=f"postgresql://app:{SECRET}@db/app"),
    AmqpProbe(dsn=f"amqp://app:{SECRET}@mq/"),
    PluginProbe("ldap", print, {"password": SECRET}, secrets=(SECRET,)),
    CommandHook("warm", envs=PAIRS),
    Elasticsearch(f"http://u:{SECRET}@es", api_key=SECRET),
    Loki(f"http://u:{SECRET}@loki"),
    ProcessSpec("api", "api", envs=PAIRS),
    Preemption(Cloud.AWS, f"http://u:{SECRET}@x"),
    Envoy(*[f"http://u:{SECRET}@x"] * 2, quit=f"http://u:{SECRET}@x"),
    QuitRequest("GET", f"http://x/?token={SECRET}"),
]


def records(*packages: Any) -> Iterator[type]:
    """Every attrs class of some packages."""
    for package in packages:
        for found in iter_modules(package.__path__, f"{package.__name__}."):
            for value in vars(import_module(found.name)).values():
                if isinstance(value, type) and attrs.has(value) and value.__module__ == found.name:
                    yield value


SPECS = [(record, field) for record in records(procwrap.spec) for field in attrs.fields(record)]
DSNS = [(record, field) for record in records(procwrap.dsn) for field in attrs.fields(record)]


def name_of(case: tuple[type, Any]) -> str:
    """How pytest calls it."""
    return f"{case[0].__name__}.{case[1].name}"


@pytest.mark.parametrize("case", [case for case in SPECS if case[1].metadata.get("secret")], ids=name_of)
def test_what_is_marked_as_secret_is_never_printed(case: tuple[type, Any]) -> None:
    """A field whose value must not be shown is not part of what Python prints about its record."""
    assert case[1].repr is False


WORDS = [
    (record, field)
    for record, field in DSNS
    # Neither a switch nor the name of a file is a secret.
    if looks_secret(field.name) and "bool" not in str(field.type) and not field.name.endswith("_file")
]


@pytest.mark.parametrize("case", WORDS, ids=name_of)
def test_passwords_of_connection_strings_are_never_printed(case: tuple[type, Any]) -> None:
    """Neither is a field of a parsed connection string that is called so."""
    assert case[1].repr is False


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
def test_no_secret_in_what_is_printed(holder: Any) -> None:
    """A record that holds a secret can be printed, for example by a traceback."""
    assert SECRET not in repr(holder) + str(holder) + f"{holder}"


def test_something_was_looked_at() -> None:
    """The tests above are not empty by mistake."""
    assert len([case for case in SPECS if case[1].metadata.get("secret")]) >= 8
