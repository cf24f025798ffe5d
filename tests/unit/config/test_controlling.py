"""Who may control procwrap, from every place where that can be said."""

from __future__ import annotations

import pytest

from procwrap.config.controlling import OFF, control, socket, token
from procwrap.config.environment import parse
from procwrap.config.problem import WrongValueError
from procwrap.errors import UsageError
from procwrap.spec.control import Control, ServerTls
from procwrap.spec.plan import Given, Plan
from tests.support.configs import plan_of, problems_of

NOTHING = Given()
SECRET = "Zx9-very-secret"


def api(keys: str) -> str:
    return f"processes: [{{name: a, entrypoint: b}}]\napi: {{{keys}}}"


def said(config: Control, env: Given = NOTHING, argv: Given = NOTHING, *, served: bool = True) -> Control:
    return control(argv, env, Plan(processes=(), control=config), served=served)


def test_the_config() -> None:
    """A token, the file of one, and the files for TLS."""
    plan = plan_of(api("token: abc, tokenFile: /t, tls: {key: /k, cert: /c}, socket: ':1'"))
    assert plan.socket == ":1"
    assert plan.control == Control("abc", "/t", tls=ServerTls("/k", "/c"))


@pytest.mark.parametrize(
    "text", ["''", f"'{SECRET} '", f'"{SECRET}\\n"', f"'{SECRET}é'", "'" + "x" * 4097 + "'"]
)
def test_no_token(text: str) -> None:
    """What no header could carry, and an empty one above all, is an error that does not show it."""
    [problem] = problems_of(api(f"token: {text}"))
    assert "api.token: expected a token" in problem
    assert SECRET not in problem


def test_the_variables() -> None:
    """The environment's token; an empty variable says nothing, and none is ever shown."""
    assert parse({"PROCWRAP_API_TOKEN": "abc"}).api_token == "abc"
    assert parse({"PROCWRAP_API_TOKEN_FILE": "/t"}).api_token_file == "/t"
    assert parse({"PROCWRAP_API_TOKEN": "", "PROCWRAP_API_TOKEN_FILE": ""}) == NOTHING
    assert SECRET not in repr(parse({"PROCWRAP_API_TOKEN": SECRET}))
    with pytest.raises(UsageError) as caught:
        parse({"PROCWRAP_API_TOKEN": f"{SECRET} x"})
    assert str(caught.value).startswith("PROCWRAP_API_TOKEN: expected a token")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        (NOTHING, ("c", "/c")),
        (Given(api_token="e"), ("e", None)),
        (Given(api_token_file="/e"), (None, "/e")),
        (Given(api_token="e", api_token_file="/e"), ("e", "/e")),
    ],
)
def test_the_token_of_the_environment_goes_first(env: Given, expected: tuple[str | None, str | None]) -> None:
    """It replaces whatever the config says, so that no older token is left valid."""
    merged = said(Control("c", "/c"), env)
    assert (merged.token, merged.token_file) == expected


@pytest.mark.parametrize(
    ("argv", "env", "served", "expected"),
    [
        (NOTHING, NOTHING, True, ("/run/procwrap.sock", False)),
        (NOTHING, NOTHING, False, (None, False)),
        (NOTHING, Given(runtime_directory="/x"), True, ("/x/procwrap.sock", False)),
        (NOTHING, Given(control_socket="/e"), True, ("/e", True)),
        (NOTHING, Given(control_socket="/e"), False, ("/e", True)),
        (Given(control_socket="/a"), Given(control_socket="/e"), True, ("/a", True)),
        (Given(control_socket=OFF), Given(control_socket="/e"), True, (None, False)),
        (Given(control_socket="/a"), Given(control_socket=OFF), True, ("/a", True)),
    ],
)
def test_the_control_socket(argv: Given, env: Given, served: bool, expected: tuple[str | None, bool]) -> None:
    """There is one by default where HTTP is served; one that is asked for has to be there."""
    merged = said(Control(), env, argv, served=served)
    assert (merged.socket, merged.socket_required) == expected


def test_off() -> None:
    """``off`` in any case is no path, and nothing is neither."""
    assert (socket("off"), socket("OFF"), socket("./off")) == (OFF, OFF, "./off")
    with pytest.raises(WrongValueError):
        socket("")


def test_any_printable_token() -> None:
    """A token may hold whatever people put into one."""
    assert token("a:b/c+d==~!\"'") == "a:b/c+d==~!\"'"


def test_nothing_shows_it() -> None:
    """Neither plan nor settings show the token when they are printed."""
    plan = plan_of(api(f"token: {SECRET}"))
    assert SECRET not in repr(plan) + repr(said(plan.control))
