"""The files of this checkout, as somebody else would get them."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEFTOVERS = {"__pycache__", "build", "dist", "_build", "dropin.cache"}


def project_files() -> list[Path]:
    """Every file that git holds or would hold, as absolute paths.

    Where there is no git, as in an unpacked sdist: every file but hidden and generated ones.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not _generated(path.relative_to(ROOT))]
    return [path for path in paths if path.is_file()]


def _generated(path: Path) -> bool:
    hidden = path.parts[0].startswith(".") and path.parts[0] not in {".ci", ".mypy.ini", ".ruff.toml"}
    return (
        hidden or bool(LEFTOVERS & set(path.parts)) or any(part.endswith(".egg-info") for part in path.parts)
    )
