from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from procwrap.core.lifecycle import State

DOCS = Path(__file__).parents[3] / "docs"


def drawing() -> ModuleType:
    found = importlib.util.spec_from_file_location("lifecycle_diagram", DOCS / "lifecycle_diagram.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_picture_in_the_docs_is_that_of_the_table() -> None:
    """A change of the lifecycle without `python docs/lifecycle_diagram.py` is found out."""
    module = drawing()
    assert module.SOURCE.read_text() == module.dot()


def test_the_picture_shows_every_state() -> None:
    """Also the drawn one, not only its source."""
    svg = (DOCS / "_static" / "lifecycle.svg").read_text()
    assert all(f">{state.value}</text>" in svg for state in State)
