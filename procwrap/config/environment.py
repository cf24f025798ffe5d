"""The environment variables that stand for options, and those of the seed's own names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from procwrap.config import (
    births,
    controlling,
    draining,
    eventing,
    incluster,
    pushing,
    readers,
    tombstones,
    units,
)
from procwrap.config.options import BY_NAME, OPTIONS, names
from procwrap.config.problem import WrongValueError
from procwrap.core.printable import quoted
from procwrap.errors import UsageError
from procwrap.spec.logs import LogFormat
from procwrap.spec.plan import Given
from procwrap.spec.probe import Pairs

CONFIG = "CONFIG"
API_TOKEN = "PROCWRAP_API_TOKEN"
CONFIG_FILE = BY_NAME["config"].variable


def parse(environ: Mapping[str, str]) -> Given:
    """Read what the environment says; a variable that is empty says nothing.

    Raises:
        UsageError: a variable has a value that is none; the message names both.
    """
    found: dict[str, object] = {}
    for option in OPTIONS:
        if option.from_environment:
            _set(found, option.target, environ, option.variable, option.of_variable)
    _set(found, "socket", environ, "HEALTH_SOCKET", units.listen_address)
    _set(found, "api_token", environ, API_TOKEN, controlling.token)
    _set(found, "api_token_file", environ, "PROCWRAP_API_TOKEN_FILE", str)
    _set(found, "runtime_directory", environ, "XDG_RUNTIME_DIR", str)
    _set(found, "log_format", environ, "LOG_FORMAT", _log_format)
    _set_events(found, environ)
    _set(found, "loki_url", environ, "LOKI_URL", pushing.push_url)
    _set(found, "loki_tenant", environ, "LOKI_TENANT", pushing.tenant)
    found.update(tombstones.from_environment(environ))
    found.update(births.from_environment(environ))
    found.update(incluster.from_environment(environ))
    _set(found, "handle_termination", environ, "HANDLE_TERMINATION", units.switch)
    found.update(draining.from_environment(environ))
    if CONFIG in environ:
        found["config_text"] = environ[CONFIG]
    return Given(**found)  # type: ignore[arg-type]


def _set(
    found: dict[str, object],
    target: str,
    environ: Mapping[str, str],
    variable: str,
    read: Callable[[str], object],
) -> None:
    text = environ.get(variable)
    if not text:
        return
    try:
        found[target] = read(text)
    except WrongValueError as error:
        raise UsageError(f"{variable}: {error}") from None


def _set_events(found: dict[str, object], environ: Mapping[str, str]) -> None:
    """Read what concerns events; of the two names of this Pod, the one given on purpose counts."""
    _set(found, "events_udp", environ, "METRICS_SERVER_ADDRESS", units.host_port)
    _set(found, "elasticsearch_url", environ, "ELASTICSEARCH_URL", eventing.server_url)
    _set(found, "elasticsearch_api_key", environ, "ELASTICSEARCH_API_KEY", eventing.api_key)
    _set(found, "event_labels", environ, "METRICS_JSON_EXTRA_LABELS", event_labels)
    _set(found, "event_labels_file", environ, "METRICS_EXTRA_LABELS_FILE_PATH", str)
    _set(found, "event_labels_exclude", environ, "METRICS_EXTRA_LABELS_FILE_EXCLUDE", names)
    for target, variables in _ABOUT_US.items():
        for variable in variables:
            _set(found, target, environ, variable, str)


_ABOUT_US = {"pod": ("HOSTNAME", "POD_NAME"), "namespace": ("POD_NAMESPACE",), "node": ("NODE_NAME",)}


def event_labels(text: str) -> Pairs:
    """Read a JSON object of labels; a number or boolean stands for its text."""
    # 6 ms that only those pay who have such labels.
    import json

    expected = 'expected a JSON object of texts, such as {"k8s_cluster": "eu1"}'
    try:
        labels = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise WrongValueError(f"{expected}: this is no JSON") from None
    if not isinstance(labels, dict):
        raise WrongValueError(expected)
    return tuple((name, _label(name, value)) for name, value in labels.items())


def _label(name: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        raise WrongValueError(f"the label {quoted(name)}: expected a text")
    return value


def _log_format(text: str) -> LogFormat:
    chosen = readers.find_choice(readers.LOG_FORMATS, text)
    if chosen is None:
        raise WrongValueError(f"expected one of {', '.join(readers.LOG_FORMATS)}, got {quoted(text)}")
    return chosen
