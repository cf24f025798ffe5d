"""Packages that are installed without pip: a module and its metadata in a directory for PYTHONPATH."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from tests.support.checkout import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "probe-package"


def install(
    home: Path, name: str, probes: Mapping[str, str], code: str = "", *, version: str = "1.0"
) -> Path:
    """Install a package whose one module has the package's name.

    Args:
        home: where to.
        name: of the package.
        probes: entry points of the group ``procwrap.probes``, such as ``{"redis": "module:Class"}``.
        code: the module.
        version: of the package.

    Returns:
        The directory, to be put on the path.
    """
    # A dash in the name would end it: the first one is where the version begins.
    metadata = home / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    points = "".join(f"{key} = {value}\n" for key, value in probes.items())
    (metadata / "entry_points.txt").write_text(f"[procwrap.probes]\n{points}")
    (home / f"{name}.py").write_text(code)
    return home


def install_example(home: Path) -> Path:
    """Install the example package of the documentation, as its pyproject.toml says."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]
    [module] = EXAMPLE.glob("*.py")
    points = project["entry-points"]["procwrap.probes"]
    install(home, project["name"], points, version=project["version"])
    (home / f"{project['name']}.py").unlink()
    (home / module.name).write_text(module.read_text("utf-8"))
    return home
