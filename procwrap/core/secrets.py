"""What hides the user and password of URLs wherever a text is shown."""

from __future__ import annotations

import re

HIDDEN = "***"

USERINFO = re.compile(r"://[^\s/?#]*@")


def without_passwords(text: str) -> str:
    """Hide the user and password of every URL in a text."""
    return USERINFO.sub(f"://{HIDDEN}@", text)
