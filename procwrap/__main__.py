"""``python -m procwrap`` is ``procwrap``."""

from __future__ import annotations

from procwrap.cli import entry

entry()
