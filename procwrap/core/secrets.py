"""What hides the user and password of URLs wherever a text is shown."""

from __future__ import annotations

import re

HIDDEN = "***"

USERINFO = re.compile(r"://[^\s/?#]*@")


_DIRECTORIES = frozenset({"PWD", "OLDPWD"})


def names_directory(name: str, value: str) -> bool:
    """Return whether a variable is the directory of a shell, though its name looks like a secret's."""
    return name in _DIRECTORIES and value.startswith("/")


def without_passwords(text: str) -> str:
    """Hide the user and password of every URL in a text."""
    return USERINFO.sub(f"://{HIDDEN}@", text)
