"""The three AMQP_PROBE_RABBITMQ_ variables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.dsn.amqptemplate import PASSWORD, TEMPLATE, USER, from_environment
from procwrap.dsn.problem import DsnError

LOGIN = {USER: "app", PASSWORD: "hunter2"}


def variables(template: str, **login: str) -> dict[str, str]:
    return {TEMPLATE: template, **LOGIN, **login}


@pytest.mark.parametrize("template", ["amqp://%v:%v@localhost:5673", "amqp://%s:%s@localhost:5673"])
def test_user_and_password(template: str) -> None:
    """%v twice, or %s, is the user and the password."""
    dsn = from_environment(variables(template))
    assert (dsn.user, dsn.password, dsn.host, dsn.port, dsn.vhost) == (
        "app",
        "hunter2",
        "localhost",
        5673,
        "/",
    )


@given(*[st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)] * 2)
def test_any_character_works(user: str, password: str) -> None:
    """User and password are not percent-encoded: whatever they are made of is what is sent."""
    dsn = from_environment({TEMPLATE: "amqp://%v:%v@mq:1234/v", USER: user, PASSWORD: password})
    assert (dsn.user, dsn.password, dsn.host, dsn.port, dsn.vhost) == (user, password, "mq", 1234, "v")


@pytest.mark.parametrize("template", ["amqp://%v:%v@mq/%%2Fv", "amqp://%v:%v@mq/%2Fv"])
def test_percent(template: str) -> None:
    """%% is a percent sign as in Go; an escape of the URI may stand there as it is, too."""
    assert from_environment(variables(template)).vhost == "/v"


def test_text_around() -> None:
    """%v may have text around it."""
    dsn = from_environment(variables("amqp://ro-%v:x%v@mq"))
    assert (dsn.user, dsn.password) == ("ro-app", "xhunter2")


def test_without_verbs() -> None:
    """A template without %v is the whole DSN."""
    dsn = from_environment({TEMPLATE: "amqp://a:b@mq"})
    assert (dsn.user, dsn.password) == ("a", "b")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, f"neither dsn in the config nor {TEMPLATE} in the process's environment is set"),
        ({TEMPLATE: ""}, "neither dsn"),
        ({TEMPLATE: "amqp://%v:%v@mq"}, f"{USER} and {PASSWORD} are not set"),
        ({TEMPLATE: "amqp://%v:%v@mq", USER: "app"}, f"{PASSWORD} is not set"),
        ({TEMPLATE: "amqp://%v:%v@mq", PASSWORD: "hunter2"}, f"{USER} is not set"),
        (variables("amqp://mq"), f"{TEMPLATE} has no %v:%v for {USER} and {PASSWORD}"),
        (variables("amqp://app:%v@mq"), f"{TEMPLATE} has %v once, expected it twice: user, password"),
        (variables("amqp://%v:%v@mq/%v"), f"{TEMPLATE} has %v 3 times"),
        (variables("amqp://%v:%v@mq/%d"), "neither %v nor %%"),
        (variables("amqp://%v:%v@mq%"), "neither %v nor %%"),
        (variables("amqp://a:b@%v/%v"), "expected %v:%v before the @"),
        (variables("amqp://%v%v@mq"), "expected %v:%v before the @"),
        (variables("http://%v:%v@mq"), f"{TEMPLATE}: expected amqp://user:password@host"),
        (variables("amqp://%v:%v@mq", **{USER: "a\0b"}), "no NUL"),
    ],
)
def test_problems(environment: dict[str, str], expected: str) -> None:
    """What is missing or wrong is named, no value is shown."""
    with pytest.raises(DsnError) as raised:
        from_environment(environment)
    assert expected in str(raised.value)
    assert "hunter2" not in str(raised.value)
