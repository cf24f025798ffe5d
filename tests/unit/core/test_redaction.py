"""No secret comes out, wherever in a config or an environment it was put."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import attrs
import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

import procwrap.spec
from procwrap.config.settings import resolve
from procwrap.core.redaction import redacted, redacted_environment
from procwrap.spec.control import Control, ServerTls
from procwrap.spec.plan import Given, Settings
from procwrap.spec.probe import Check, EnvProbe, ExecProbe, HttpProbe, PluginProbe, SqlProbe
from procwrap.spec.process import ProcessSpec, PromTarget
from tests.support.configs import plan_of

SECRET = "Zx9-very-secret"
PAGE = (Path(__file__).parents[3] / "docs/reference/config.md").read_text("utf-8")
EVERYTHING = re.findall(r"<!-- complete -->\n```yaml\n(.*?)```", PAGE, re.DOTALL)[1]

texts = st.text(min_size=1, max_size=40).map(lambda text: f"{SECRET}{text}")
words = st.text(st.characters(categories=["L", "N"], max_codepoint=0x2FFF), max_size=12).map(
    lambda text: f"{SECRET}{text}"
)
names = st.sampled_from(
    ["PASSWORD", "PGPASSWORD", "api_token", "API-KEY", "SecretKey", "X-Auth", "db.credentials", "JWT", "dsn"]
)


def spec_records() -> Iterator[type]:
    """Every attrs class of the spec."""
    for found in iter_modules(procwrap.spec.__path__, "procwrap.spec."):
        for value in vars(import_module(found.name)).values():
            if isinstance(value, type) and attrs.has(value) and value.__module__ == found.name:
                yield value


MARKED = [
    (record, field)
    for record in spec_records()
    for field in attrs.fields(record)
    if field.metadata.get("secret")
]


def holding(record: Any, field: Any, secret: str) -> object:
    """Make a record in which one field is the secret, in the shape that the field has."""
    kind = str(field.type)
    value: Any = secret
    if "Pairs" in kind:
        value = (("PORT", secret), ("PASSWORD", secret))
    elif kind.startswith("tuple[str"):
        value = (secret, secret)
    elif kind == "object":
        value = {"inner": [secret], secret: secret}
    needed = {
        other.name: "x"
        for other in attrs.fields(record)
        if other.init and other.default is attrs.NOTHING and other.name != field.name
    }
    return record(**{**needed, field.name: value})


def shown(record: object) -> str:
    """Everything that is shown of a record."""
    return json.dumps(redacted(record), ensure_ascii=False)


@pytest.mark.parametrize("case", MARKED, ids=lambda case: f"{case[0].__name__}.{case[1].name}")
@settings(max_examples=20)
@given(secret=texts)
def test_what_is_marked(case: tuple[type, Any], secret: str) -> None:
    """A field that is marked as secret is never shown, whatever it holds."""
    record, field = case
    assert SECRET not in shown(holding(record, field, secret))


def test_some_are_marked() -> None:
    """The test above is not empty by mistake."""
    assert len(MARKED) > 25


@given(name=names, secret=texts)
def test_what_has_a_secret_name(name: str, secret: str) -> None:
    """Labels, variables and headers with such names are hidden, and the value of a flag with one."""
    spec = ProcessSpec(
        "api", "api", labels=((name, secret),), args=(f"--{name}={secret}", f"--{name}", secret)
    )
    assert SECRET not in shown(spec)
    environment = redacted_environment({name: secret, "PLAIN": "x", "PROCWRAP_API_TOKEN": secret})
    assert SECRET not in "\n".join(environment)
    assert "PLAIN=x" in environment


@given(name=names, secret=words)
def test_a_secret_that_stands_elsewhere_too(name: str, secret: str) -> None:
    """The value of a secret variable is hidden wherever else the process has it."""
    script = f"curl -H 'X: {secret}' http://x"
    spec = ProcessSpec(
        "api",
        f"/opt/{secret}/api",
        args=("-c", script, secret),
        envs=((name, secret),),
        labels=(("team", secret),),
        readiness=Check((ExecProbe("look", ("-x", secret)), EnvProbe(name, secret), SqlProbe((script,)))),
    )
    assert SECRET not in shown(spec)
    assert SECRET not in "\n".join(redacted_environment({name: secret, "PLAIN": script}))


@given(secret=words)
def test_urls(secret: str) -> None:
    """User, password and query of URLs are hidden wherever they stand."""
    urls = (f"http://u:{secret}@x/y", f"https://{secret}@x", f"http://x/y?sig={secret}&a={secret}")
    for url in urls:
        spec = ProcessSpec("a", "b", args=(url, f"--url={url}"), readiness=Check((HttpProbe(url),)))
        assert SECRET not in json.dumps(redacted(spec)["args"])
        assert SECRET not in shown(HttpProbe(url))
        assert SECRET not in "\n".join(redacted_environment({"URL": url}))
        assert SECRET not in shown(ProcessSpec("a", "b", prom_target=PromTarget(url)))


def test_a_query_within_a_text() -> None:
    """The rest of a flag or of a script remains."""
    spec = ProcessSpec("a", "b", args=("--url=http://x/y?sig=1", "curl 'http://x/?sig=1' -o http://y a?b"))
    assert redacted(spec)["args"] == ["--url=http://x/y?***", "curl 'http://x/?***' -o http://y a?b"]


def test_a_shell_s_directories() -> None:
    """``PWD`` sounds like a password; what holds a path is none, nor is the path hidden elsewhere."""
    found = redacted_environment({"PWD": "/app", "OLDPWD": "/", "HOME": "/app", "MYSQL_PWD": "/app2"})
    assert found == ["HOME=/app", "MYSQL_PWD=***", "OLDPWD=/", "PWD=/app"]
    assert redacted_environment({"PWD": SECRET}) == ["PWD=***"]


@given(secret=texts)
def test_the_config_variable(secret: str) -> None:
    """``CONFIG`` holds a whole config, of which nothing is shown."""
    assert redacted_environment({"CONFIG": f"processes: [{secret}]"}) == ["CONFIG=***"]


def test_what_is_no_secret_is_shown() -> None:
    """By the names of the config; probes say of which kind they are; no number becomes a text."""
    api = next(spec for spec in plan_of(EVERYTHING).processes if spec.name.startswith("api"))
    found = redacted(api)
    assert found["entrypoint"] == "api"
    assert found["envs"]["PORT"] == "***"
    assert found["labels"]["team"] == "core"
    assert {probe["probe"] for probe in found["readiness"]["probes"]} >= {"http", "grpc"}
    assert found["restart"]["backoff"] == {"initial": 1.0, "maximum": 60.0, "reset": 60.0}
    assert found["log"]["maxLineBytes"] == 262144


def test_every_spec_can_be_shown() -> None:
    """Whatever a config can hold becomes JSON that every reader understands."""
    plan = plan_of(EVERYTHING)
    for spec in plan.processes:
        json.dumps(redacted(spec), allow_nan=False)
    json.dumps(redacted(Settings(graceful_deadline=float("inf"))), allow_nan=False)


def test_the_control_settings() -> None:
    """That there is a token is shown, and where it comes from."""
    control = Control(SECRET, "/run/token", "/run/x.sock", tls=ServerTls("/k", "/c"))
    assert redacted(control) == {
        "token": "***",
        "tokenFile": "/run/token",
        "socket": "/run/x.sock",
        "socketRequired": False,
        "tls": {"key": "/k", "cert": "/c"},
    }
    assert redacted(Control())["token"] is None


def test_plugins_show_nothing() -> None:
    """Nobody knows what the settings of a foreign probe mean."""
    probe = PluginProbe("ldap", print, {"password": SECRET, "host": "x"}, secrets=(SECRET,))
    assert redacted(probe) == {
        "probe": "ldap",
        "key": "ldap",
        "settings": "***",
        "timeout": 5.0,
        "secrets": ["***"],
    }


def test_settings_of_every_source() -> None:
    """Settings that hold secrets of servers can be shown too."""
    env = Given(
        elasticsearch_url=f"http://u:{SECRET}@es", loki_url=f"http://u:{SECRET}@loki", api_token=SECRET
    )
    assert SECRET not in shown(resolve(Given(), env, plan_of("[{name: a, entrypoint: b}]")))
