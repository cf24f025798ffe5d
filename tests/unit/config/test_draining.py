from __future__ import annotations

from typing import Any

import pytest

from procwrap.config import environment
from procwrap.config.arguments import parse
from procwrap.config.settings import resolve, with_permits, wrapped_plan
from procwrap.errors import UsageError
from procwrap.spec.envoy import Envoy
from procwrap.spec.plan import Given, Plan, Settings
from procwrap.spec.preemption import Cloud, Preemption
from procwrap.spec.quitting import QuitRequest, Quitting

GOOGLE = "http://metadata.google.internal/computeMetadata/v1/instance/preempted"
LINK_LOCAL = "http://169.254.169.254"
ADMIN = "http://127.0.0.1:15000"


def settings(line: str = "", **environ: str) -> Settings:
    """What comes out of a command line and an environment."""
    return resolve(parse(line.split()).given, environment.parse(environ), Plan(processes=()))


def message(line: str = "", **environ: str) -> str:
    """The one line that refuses it."""
    with pytest.raises(UsageError) as caught:
        settings(line, **environ)
    return str(caught.value)


@pytest.mark.parametrize(
    ("environ", "asked"),
    [
        ({}, None),
        ({"METADATA_URL": "http://x"}, None),
        ({"HANDLE_PREEMPTION": "0"}, None),
        ({"HANDLE_PREEMPTION": "1"}, Preemption(Cloud.GOOGLE, GOOGLE)),
        ({"HANDLE_PREEMPTION": " True "}, Preemption(Cloud.GOOGLE, GOOGLE)),
        (
            {"HANDLE_PREEMPTION": "enabled", "METADATA_URL": ":8989/x?a=b"},
            Preemption(Cloud.GOOGLE, "http://localhost:8989/x?a=b"),
        ),
        ({"HANDLE_PREEMPTION": "AWS"}, Preemption(Cloud.AWS, LINK_LOCAL)),
        (
            {"HANDLE_PREEMPTION": "azure", "METADATA_URL": "http://x:1/"},
            Preemption(Cloud.AZURE, "http://x:1"),
        ),
    ],
)
def test_preemption(environ: dict[str, str], asked: Preemption | None) -> None:
    """Yes is Google; the others have their names; the URL counts only where there is something to watch."""
    if environ.get("METADATA_URL", "").startswith(":"):
        environ = {**environ, "METADATA_URL": f"http://{environ['METADATA_URL']}"}
    assert settings(**environ).preemption == asked


def test_no_envoy() -> None:
    """Nothing is done about an Envoy that nobody spoke of, wherever it would be drained."""
    assert settings(ENVOY_DRAIN_URL="http://x/drain").envoy.is_asked_for is False
    assert settings().quitting.is_asked_for is False


@pytest.mark.parametrize(
    ("line", "environ", "asked"),
    [
        ("--envoy-drain", {}, Envoy(drain="http://localhost:15000/drain_listeners")),
        ("-envoy-drain=false", {"PROCWRAP_ENVOY_DRAIN": "1"}, Envoy()),
        (
            "",
            {"PROCWRAP_ENVOY_DRAIN": "1", "ENVOY_DRAIN_URL": "http://x/y?graceful"},
            Envoy(drain="http://x/y?graceful"),
        ),
        ("--envoy-wait http://x:1/", {"ENVOY_ADMIN_API": ADMIN}, Envoy(wait="http://x:1", quit=ADMIN)),
        ("--envoy-quit http://x:1", {"PROCWRAP_ENVOY_WAIT": ADMIN}, Envoy(wait=ADMIN, quit="http://x:1")),
        ("", {"ENVOY_ADMIN_API": ADMIN}, Envoy(wait=ADMIN, quit=ADMIN)),
        ("", {"ENVOY_ADMIN_API": "http://envoy:15000"}, Envoy(wait="http://envoy:15000")),
        (
            "",
            {"ENVOY_ADMIN_API": ADMIN, "ISTIO_QUIT_API": "http://[::1]:15020/"},
            Envoy(wait=ADMIN, quit="http://[::1]:15020"),
        ),
        ("", {"ENVOY_ADMIN_API": ADMIN, "START_WITHOUT_ENVOY": "true"}, Envoy(quit=ADMIN)),
        ("", {"ENVOY_ADMIN_API": ADMIN, "NEVER_KILL_ISTIO": "true"}, Envoy(wait=ADMIN)),
        (
            "",
            {"ENVOY_ADMIN_API": ADMIN, "NEVER_KILL_ISTIO_ON_FAILURE": "true"},
            Envoy(wait=ADMIN, quit=ADMIN, quit_on_failure=False),
        ),
        (
            "",
            {"ENVOY_ADMIN_API": ADMIN, "WAIT_FOR_ENVOY_TIMEOUT": "0s", "QUIT_WITHOUT_ENVOY_TIMEOUT": "1m"},
            Envoy(wait=ADMIN, quit=ADMIN, give_up_after=60.0),
        ),
    ],
)
def test_envoy(line: str, environ: dict[str, str], asked: Envoy) -> None:
    """The options, and scuttle's variables with what they mean there."""
    found = settings(line, **environ).envoy
    assert found == asked


def test_who_is_held_back() -> None:
    """Every process waits for Envoy, so none has a head start."""
    plan = wrapped_plan(["true"])
    assert not with_permits(plan, settings()).processes[0].needs_permit
    assert with_permits(plan, settings(f"--envoy-wait {ADMIN}")).processes[0].needs_permit


def test_quitting() -> None:
    """Each option may be given several times, by its letter too; the command line replaces its variable."""
    line = "-g http://a -p=http://b/?x=y -ghttp://c?d=e --shutdown-http-post http://:1/f"
    line += " --shutdown-kill g --shutdown-kill=h"
    environ = {
        "PROCWRAP_SHUTDOWN_HTTP_GET": "http://no",
        "PROCWRAP_SHUTDOWN_KILL": "no",
        "PROCWRAP_SHUTDOWN_KILL_ALL": "on",
        "GENERIC_QUIT_ENDPOINTS": "http://i, http://j,",
    }
    gets, posts = (
        ("http://a", "http://c?d=e"),
        ("http://b/?x=y", "http://localhost:1/f", "http://i", "http://j"),
    )
    requests = [QuitRequest("GET", url) for url in gets] + [QuitRequest("POST", url) for url in posts]
    assert settings(line, **environ).quitting == Quitting(tuple(requests), ("g", "h"), kill_all=True)


def test_several_in_a_variable() -> None:
    """They have blanks between them."""
    found = settings(
        PROCWRAP_SHUTDOWN_HTTP_GET="http://a\n  http://b,c", PROCWRAP_SHUTDOWN_KILL="d e"
    ).quitting
    assert found == Quitting((QuitRequest("GET", "http://a"), QuitRequest("GET", "http://b,c")), ("d", "e"))


@pytest.mark.parametrize(
    ("line", "environ", "words"),
    [
        ("-g x", {}, "-g: expected a URL such as http://localhost:15000/quitquitquit; this one does not"),
        ("-g", {}, "-g needs a value: -g URL"),
        ("--shutdown-http-post ftp://u:hunter2@x", {}, "this one does not begin with http:// or https://"),
        ("-phttp://h\u00f6st", {}, "expected a URL in ASCII"),
        (
            "--shutdown-kill /bin/envoy",
            {},
            'expected the name of an executable, such as pilot-agent, got "/bin/envoy"',
        ),
        ("--envoy-wait http://x/?y", {}, "this one has something behind its path"),
        (
            "",
            {"HANDLE_PREEMPTION": "gce"},
            "HANDLE_PREEMPTION: expected 1, true or enabled (Google), aws, azure, or off",
        ),
        ("", {"HANDLE_PREEMPTION": "1", "METADATA_URL": "hunter2"}, "METADATA_URL: expected a URL"),
        (
            "",
            {"ENVOY_ADMIN_API": "localhost:15000"},
            "ENVOY_ADMIN_API: expected a URL such as http://localhost:15000",
        ),
        ("", {"WAIT_FOR_ENVOY_TIMEOUT": "10"}, "WAIT_FOR_ENVOY_TIMEOUT: expected a duration"),
        ("", {"GENERIC_QUIT_ENDPOINTS": "http://a,hunter2"}, "GENERIC_QUIT_ENDPOINTS: expected a URL"),
        (
            "",
            {"PROCWRAP_SHUTDOWN_HTTP_GET": "http://a hunter2"},
            "PROCWRAP_SHUTDOWN_HTTP_GET: expected a URL",
        ),
    ],
)
def test_errors(line: str, environ: dict[str, str], words: str) -> None:
    """One line that names the option or variable, and never shows a URL, in which a password may stand."""
    said = message(line, **environ)
    assert words in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "given",
    [
        Given(envoy_wait="http://u:hunter2@x"),
        Given(shutdown_http_get=("http://x?token=hunter2",)),
        Settings(
            envoy=Envoy(drain="http://u:hunter2@x"), preemption=Preemption(Cloud.AWS, "http://u:hunter2@x")
        ),
        Settings(quitting=Quitting((QuitRequest("GET", "http://u:hunter2@x"),))),
    ],
)
def test_no_secret_is_printed(given: Any) -> None:
    """What was asked for can be printed, for example by a traceback."""
    assert "hunter2" not in repr(given)
