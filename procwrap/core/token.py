"""What a bearer token of the API is; whoever sends, reads or keeps one goes by this."""

from __future__ import annotations

LONGEST = 4096
"""Characters."""


def is_token(text: str) -> bool:
    """Return whether a text can be sent as a token: visible ASCII, on one line, without white space."""
    return 0 < len(text) <= LONGEST and text.isascii() and text.isprintable() and " " not in text
