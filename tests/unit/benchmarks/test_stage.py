from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.stage import clean_environ, last_words


def test_the_environment_neither_configures_nor_slows_what_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A LOG_FORMAT or a PYTHONUNBUFFERED of the shell does not change the figures; PATH stays."""
    for name in ("LOG_FORMAT", "PROCWRAP_DEBUG", "CONFIG", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("PATH", "/bin")
    found = clean_environ()
    assert found["PATH"] == "/bin"
    assert not {
        "LOG_FORMAT",
        "PROCWRAP_DEBUG",
        "CONFIG",
        "PYTHONUNBUFFERED",
        "PYTHONDONTWRITEBYTECODE",
    } & set(found)


def test_an_error_ends_with_what_the_program_said_last(tmp_path: Path) -> None:
    """One line, at most 200 characters of it; nothing when it said nothing."""
    stderr = tmp_path / "stderr"
    assert last_words(stderr) == ""
    stderr.write_text("Traceback\nValueError: no such thing\n")
    assert last_words(stderr) == " (its last words: ValueError: no such thing)"
