"""Configs from a few lines of text, and their problems as lines."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from procwrap.config.load import load
from procwrap.config.problem import ConfigError
from procwrap.config.reading import ConfigText
from procwrap.spec.plan import Plan
from procwrap.spec.process import ProcessSpec

SOURCE = "app.yaml"


def config_text(text: str | bytes, source: str = SOURCE) -> ConfigText:
    """A text as if it had been read from a file."""
    data = textwrap.dedent(text).encode() if isinstance(text, str) else text
    return ConfigText(source, data, is_json=source.endswith(".json"))


def plan_of(text: str | bytes, skip: Sequence[str] = (), source: str = SOURCE) -> Plan:
    """The plan that a text asks for."""
    return load(config_text(text, source), skip)


def problems_of(text: str | bytes, source: str = SOURCE) -> list[str]:
    """What is wrong with a text, one line each; empty when it is good."""
    try:
        load(config_text(text, source))
    except ConfigError as error:
        return str(error).split("\n")
    return []


def process_of(keys: str) -> ProcessSpec:
    """A process that has these keys besides its name and entrypoint, written as a flow mapping."""
    return plan_of(_with(keys)).processes[0]


def messages_of(keys: str) -> list[str]:
    """What is wrong with these keys of a process, without the file and the process's path."""
    return [line.split(": ", 1)[1].removeprefix("processes[0].") for line in problems_of(_with(keys))]


def _with(keys: str) -> str:
    return f"[{{name: app, entrypoint: run, {keys}}}]"
