from __future__ import annotations

import sys
from pathlib import Path

import pytest

from procwrap.config import arguments, environment, profiling
from procwrap.config.settings import resolve
from procwrap.errors import ExitStatus, UsageError
from procwrap.spec.plan import Given, Plan
from procwrap.spec.profiling import Profiling

SECRET = "s3cret"


def test_the_url_of_a_server() -> None:
    """User and password leave it; a slash at its end does not matter."""
    assert profiling.server("http://pyroscope:4040/") == Profiling("http://pyroscope:4040")
    with_login = profiling.server(f"https://m%40e:{SECRET}@host/a/b")
    assert with_login == Profiling("https://host/a/b", "m@e", SECRET)
    assert SECRET not in repr(with_login)


@pytest.mark.parametrize("text", [f"ftp://me:{SECRET}@x", f"http://me:{SECRET}@", f"http://x/?key={SECRET}"])
def test_what_is_no_such_url(text: str) -> None:
    """It is an error of the option that shows no secret."""
    with pytest.raises(UsageError, match=r"^--pyroscope-url: expected a URL such as http://pyroscope:4040; "):
        arguments.parse(["--pyroscope-url", text])
    with pytest.raises(UsageError) as caught:
        environment.parse({"PROCWRAP_PYROSCOPE_URL": text})
    assert SECRET not in str(caught.value)


def test_the_command_line_goes_first() -> None:
    """Before the environment; without both, nothing is profiled."""
    one, other = Profiling("http://one"), Profiling("http://other")
    said = [(Given(profiling=one), Given(profiling=other)), (Given(), Given(profiling=other)), (Given(),) * 2]
    found = [resolve(argv, env, Plan(())).profiling for argv, env in said]
    assert found == [one, other, None]


def installed(place: Path, version: str) -> None:
    """Write down that a version of the agent is installed in a directory."""
    info = place / f"pyroscope_io-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: pyroscope-io\nVersion: {version}\n")


@pytest.mark.parametrize("version", ["1.2.0", "1.4.0", "2.0", "1.10.0rc1"])
def test_an_agent_that_is_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """Nothing is said, and nothing imported."""
    installed(tmp_path, version)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    profiling.need_agent()


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (None, "--pyroscope-url needs the package pyroscope-io: pip install 'procwrap[pyroscope]'"),
        (
            "1.0.1",
            "--pyroscope-url needs pyroscope-io 1.2 or newer, not 1.0.1: pip install 'procwrap[pyroscope]'",
        ),
    ],
)
def test_no_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None, message: str) -> None:
    """One line says how to get one; older ones would end procwrap."""
    if version is not None:
        installed(tmp_path, version)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(UsageError) as caught:
        profiling.need_agent()
    assert (str(caught.value), caught.value.exit_status) == (message, ExitStatus.USAGE)
