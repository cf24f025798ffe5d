"""The environment; read here and nowhere else, without anything that takes time to import."""

from __future__ import annotations

import os


def environ() -> dict[str, str]:
    """The environment that procwrap was started with."""
    return dict(os.environ)
