"""The scripts of docs/, which are no package."""

from __future__ import annotations

import importlib.util
from types import ModuleType

from tests.support.checkout import ROOT


def script(name: str) -> ModuleType:
    """Import ``docs/NAME.py``."""
    found = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module
