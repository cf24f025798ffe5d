from __future__ import annotations

from attrs import fields

from procwrap.config.options import BY_NAME, OPTIONS
from procwrap.spec.plan import Given


def test_every_option_sets_something() -> None:
    """Each option has its own name and an attribute of Given; none is left without an option by mistake."""
    targets = {option.target for option in OPTIONS}
    known = {attribute.name for attribute in fields(Given)}
    others = {other for option in OPTIONS for other in (option.also, option.short) if other}
    assert len(OPTIONS) == len(targets) == len(BY_NAME.keys() - others)
    assert known - targets == {
        *("config_text", "command", "socket", "log_format", "pod", "namespace", "node"),
        *("elasticsearch_url", "elasticsearch_api_key", "loki_url", "loki_tenant"),
        *("graves", "kubexit_grace", "birth", "cluster", "handle_termination"),
        *("preemption", "envoy", "quit_endpoints"),
        *("api_token", "api_token_file", "runtime_directory"),
        *("events_udp", "event_labels", "event_labels_file", "event_labels_exclude"),
    }


def test_variables() -> None:
    """An option's variable is PROCWRAP_ and its name."""
    assert BY_NAME["wait-deadline"].variable == "PROCWRAP_WAIT_DEADLINE"


def test_another_spelling() -> None:
    """The seed's spelling of an option is the option."""
    assert BY_NAME["prommerge-supress-errors"] is BY_NAME["prommerge-suppress-errors"]


def test_letters() -> None:
    """Few options have one; those, and one more, may be given several times."""
    letters = {option.short: option for option in OPTIONS if option.short}
    assert {letter: BY_NAME[letter] for letter in letters} == letters
    assert {option.name for option in OPTIONS if option.repeatable} == {
        "shutdown-http-get",
        "shutdown-http-post",
        "shutdown-kill",
    }


def test_flags() -> None:
    """A flag needs no value, and an inverted one switches off."""
    assert BY_NAME["debug"].is_flag
    assert not BY_NAME["http"].is_flag
    assert BY_NAME["no-reap-group"].value("true") is False
