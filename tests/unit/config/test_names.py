from __future__ import annotations

import pytest

from procwrap.config import names
from procwrap.config.problem import WrongValueError
from tests.support.configs import messages_of, plan_of, problems_of


@pytest.mark.parametrize("name", ["a", "api-1", "my.app_2", "_x", "9", "x" * 100])
def test_process_names(name: str) -> None:
    """Letters, digits, dots, underscores and dashes make a name."""
    assert plan_of(f"[{{name: '{name}', entrypoint: x}}]").processes[0].name == name


@pytest.mark.parametrize("name", ["a b", "-a", ".", "..", "a/b", "é", "a\\n", "x" * 101])
def test_wrong_process_names(name: str) -> None:
    """What would not fit into a log record, a URL or a file name is refused."""
    [line] = problems_of(f'[{{name: "{name}", entrypoint: x}}]')
    assert line.startswith(
        "app.yaml:1:9: processes[0].name: expected letters, digits and . _ - (at most 100), got "
    )


def test_our_own_name() -> None:
    """No child can write records that look like procwrap's own."""
    assert problems_of("[{name: procwrap, entrypoint: x}]") == [
        "app.yaml:1:9: processes[0].name: procwrap is the name of procwrap's own log records: choose another"
    ]


@pytest.mark.parametrize("name", ["time", "level", "msg", "name", "out", "pid", "partial", "hook"])
def test_our_own_fields(name: str) -> None:
    """A label cannot overwrite a field of the log record."""
    assert messages_of(f"labels: {{{name}: x}}") == [
        f"labels.{name}: {name} is a field of every log record: choose another"
    ]


def test_label_names() -> None:
    """Kubernetes' label names are good, those with blanks, quotes or = are not."""
    names.check_label("app.kubernetes.io/name")
    for wrong in ("a b", "a=b", '"', "", "1a", "x" * 101):
        with pytest.raises(WrongValueError, match=r"for the name of a label$"):
            names.check_label(wrong)


def test_header_names_and_values() -> None:
    """Nothing can end a header and begin another."""
    names.check_header("X-Probe")
    names.check_header_value("text/html; q=0.5\té")
    for wrong in ("X Probe", "X:", "", "é"):
        with pytest.raises(WrongValueError, match=r"^expected the name of a header, such as X-Probe$"):
            names.check_header(wrong)
    for wrong in ("a\r\nB: c", "a\0"):
        with pytest.raises(
            WrongValueError, match=r"^the value of a header is one line without control characters$"
        ):
            names.check_header_value(wrong)
