"""What a user gets: sdist and wheel built as for a release, the wheel installed into a fresh environment."""

from __future__ import annotations

import email
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
import venv
import zipfile
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest

from tests.support.checkout import ROOT, project_files

QUICKSTART = ROOT / "docs" / "examples" / "quickstart.yaml"
PLUGIN = "twisted/plugins/procwrap_plugin.py"

VERSION = re.findall(r'^__version__ = "(.+)"$', (ROOT / "procwrap/__init__.py").read_text(), re.MULTILINE)[0]


def run(*command: str | Path, cwd: Path, timeout: float = 300) -> str:
    """Run a command to its end and give what it printed; its output is the message when it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git would hand to somebody else: neither build leftovers nor ignored files."""
    copy = tmp_path_factory.mktemp("checkout")
    for path in project_files():
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return copy


@pytest.fixture(scope="session")
def built(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sdist, and the wheel that was built from it."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", out, checkout, cwd=out)
    sdist, wheel = out / f"procwrap-{VERSION}.tar.gz", out / f"procwrap-{VERSION}-py3-none-any.whl"
    assert sorted(out.iterdir()) == sorted([sdist, wheel])
    return {"sdist": sdist, "wheel": wheel}


@pytest.fixture(scope="session")
def wheel(built: dict[str, Path]) -> Iterator[zipfile.ZipFile]:
    """The wheel, opened."""
    with zipfile.ZipFile(built["wheel"]) as opened:
        yield opened


@pytest.fixture(scope="session")
def metadata(wheel: zipfile.ZipFile) -> Message:
    """The wheel's metadata."""
    return email.message_from_bytes(wheel.read(f"procwrap-{VERSION}.dist-info/METADATA"))


@pytest.fixture(scope="session")
def installed(built: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` folder of a fresh virtual environment that holds the wheel and what it asks for."""
    home = tmp_path_factory.mktemp("fresh")
    venv.create(home, with_pip=True)
    run(home / "bin" / "pip", "install", "--quiet", built["wheel"], cwd=home)
    return home / "bin"


def test_sdist_holds_the_whole_checkout(checkout: Path, built: dict[str, Path]) -> None:
    """Who has the sdist can build, test and read everything that git holds."""
    with tarfile.open(built["sdist"]) as opened:
        packed = {name.partition("/")[2] for name in opened.getnames()}
    wanted = {str(path.relative_to(checkout)) for path in checkout.rglob("*") if path.is_file()}
    left_out = {name for name in wanted - packed if name != ".gitignore" and not name.startswith(".git/")}
    assert not left_out, f"MANIFEST.in leaves out {sorted(left_out)}"


def test_wheel_holds_the_package_and_the_plugin(checkout: Path, wheel: zipfile.ZipFile) -> None:
    """The wheel holds every module, the status page, the plugin and the type marker, and nothing else."""
    modules = {str(path.relative_to(checkout)) for path in (checkout / "procwrap").rglob("*.py")}
    page = {str(path.relative_to(checkout)) for path in (checkout / "procwrap/web/page").iterdir()}
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == modules | page | {PLUGIN, "procwrap/py.typed"}


def test_metadata_is_clean(built: dict[str, Path], tmp_path: Path) -> None:
    """A package index would accept both files, and render the README."""
    said = run(sys.executable, "-m", "twine", "check", "--strict", *built.values(), cwd=tmp_path)
    assert said.count("PASSED") == 2


def test_metadata_says_what_a_user_must_know(metadata: Message) -> None:
    """License and Python are stated in the form that tools read."""
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata.get_all("License-File") == ["LICENSE"]


def test_the_command_says_its_version(installed: Path, tmp_path: Path) -> None:
    """``procwrap --version`` works in an environment that holds nothing else."""
    assert run(installed / "procwrap", "--version", cwd=tmp_path).strip() == f"procwrap {VERSION}"


def test_twistd_lists_the_plugin(installed: Path, tmp_path: Path) -> None:
    """``twistd`` finds the plugin of an installed procwrap."""
    listed = run(installed / "twistd", "--help", cwd=tmp_path).splitlines()
    assert [line.split()[0] for line in listed if line.lstrip().startswith("procwrap")] == ["procwrap"]


@pytest.mark.parametrize(
    "way", [["procwrap"], ["twistd", "-n", "--pidfile=", "procwrap"]], ids=["procwrap", "twistd"]
)
def test_quickstart_runs_installed(way: list[str], installed: Path, tmp_path: Path) -> None:
    """Both ways in run the quickstart far away from the checkout, and end it with exit code 0."""
    environ = os.environ | {"HEALTH_SOCKET": f"unix:{tmp_path}/health"}
    ready, log = tmp_path / "ready", tmp_path / "log"
    command = [installed / way[0], *way[1:], "--config", QUICKSTART, "--readiness-file", ready]
    with open(log, "wb") as output:
        host = subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 30
        while not (ready.exists() and 'msg="fetched the page" name=worker out=stdout' in log.read_text()):
            assert host.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        host.send_signal(signal.SIGTERM)
        assert host.wait(timeout=30) == 0, log.read_text()
    finally:
        host.kill()
        host.wait()
