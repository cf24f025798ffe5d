"""pidzero's config, with what its keys mean here."""

from __future__ import annotations

import pytest

from procwrap.spec.control import ServerTls
from procwrap.spec.logs import LogFormat
from procwrap.spec.process import RestartPolicy
from tests.support.configs import plan_of, problems_of

DAEMON = "{name: a, command: run}"
NO_TOKEN = "expected a token: at least one and at most 4096 printable ASCII characters, no white space"


def test_daemons() -> None:
    """A daemon is vital unless it says otherwise, is never restarted, and its output may be thrown away."""
    daemons = (
        "[{name: a, description: what it is, command: run, args: [-v, 1], env: ['A=b=c']}, "
        "{name: b, command: run, vital: false, log: false, args: , env: }]"
    )
    one, two = plan_of(f"daemons: {daemons}").processes
    assert (one.entrypoint, one.args, one.envs) == ("run", ("-v", "1"), (("A", "b=c"),))
    assert (one.restart.vital, two.restart.vital) == (True, False)
    assert {made.restart.policy for made in (one, two)} == {RestartPolicy.NEVER}
    assert (one.log.discard, two.log.discard) == (False, True)


@pytest.mark.parametrize(
    ("keys", "format"),
    [
        ("", LogFormat.JSON),
        (", pidzero: {prettylogging: true}", LogFormat.FREE),
        (", pidzero: {}", LogFormat.JSON),
    ],
)
def test_log_format(keys: str, format: LogFormat) -> None:
    """JSON, or the bytes as they are."""
    assert plan_of(f"{{daemons: [{DAEMON}]{keys}}}").log_format is format


@pytest.mark.parametrize(
    ("api", "socket"),
    [
        ("host: 0.0.0.0, port: 5000", "0.0.0.0:5000"),
        ("port: 5000", ":5000"),
        ("host: '::1', port: 5000, https: {enabled: false, private_key: a}", "[::1]:5000"),
        (
            "host: 10.0.0.1, port: 5000, https: {enabled: true, private_key: a, public_key: c}",
            "10.0.0.1:5000",
        ),
    ],
)
def test_where_http_is_served(api: str, socket: str) -> None:
    """Host and port, with or without TLS."""
    assert plan_of(f"{{daemons: [{DAEMON}], api: {{{api}}}}}").socket == socket


@pytest.mark.parametrize("names", ["private_key: /a:b, public_key: /c", "privatekey: /a:b, publickey: /c"])
def test_tls(names: str) -> None:
    """HTTP through TLS, by whichever names pidzero knows the files."""
    plan = plan_of(f"{{daemons: [{DAEMON}], api: {{port: 5000, https: {{enabled: true, {names}}}}}}}")
    assert plan.control.tls == ServerTls("/a:b", "/c")


@pytest.mark.parametrize(("enabled", "token"), [("true", "abcd1234"), ("false", None)])
def test_the_key_is_the_token(enabled: str, token: str | None) -> None:
    """Who knows the key of pidzero's API may control procwrap; a key that is not enabled admits nobody."""
    auth = f"auth: {{enabled: {enabled}, key: abcd1234}}"
    plan = plan_of(f"{{daemons: [{DAEMON}], api: {{port: 5000, {auth}}}}}")
    assert (plan.control.token, plan.warnings) == (token, ())


def test_what_has_no_meaning_is_told() -> None:
    """It is listed."""
    api = "{port: 5000, accesslog: true, logping: true}"
    plan = plan_of(f"daemons: [{DAEMON}]\napi: {api}\npidzero: {{buffersize: 5, loglevel: info}}")
    assert [line.split(": ")[1] for line in plan.ignored] == [
        *("api.accesslog", "api.logping", "pidzero.buffersize", "pidzero.loglevel"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("daemons: []", "1:10: daemons: expected at least one daemon, got an empty list"),
        ("daemons: [{name: a}]", "1:11: daemons[0].command: is missing"),
        ("daemons: [{name: a, command: b, env: [hunter2]}]", "1:39: daemons[0].env[0]: expected NAME=value"),
        (
            "daemons: [{name: a, command: b, vitl: no}]",
            "1:33: daemons[0].vitl: unknown key: did you mean vital?",
        ),
        ("daemons: [{name: a b, command: b}]",
         '1:18: daemons[0].name: expected letters, digits and . _ - (at most 100), got "a b"'),
        ("{daemons: [{name: a, command: b}], api: {port: 5, https: {enabled: true}}}",
         "1:58: api.https: expected private_key and public_key: where the key and the certificate are"),
        ("{daemons: [{name: a, command: b}], api: {host: x}}", "1:41: api.port: is missing"),
        ("{daemons: [{name: a, command: b}], api: {port: 5, auth: {enabled: true, key: 'hunter2 x'}}}",
         f"1:78: api.auth.key: {NO_TOKEN}"),
    ],
)  # fmt: skip
def test_mistakes(text: str, message: str) -> None:
    """A mistake is told at its place, by its own name, and without secrets."""
    assert problems_of(text) == [f"app.yaml:{message}"]
