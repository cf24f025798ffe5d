"""A text that no line and no terminal misunderstands; the client needs it fast."""

from __future__ import annotations


def printable(text: str) -> str:
    """Escape what would break the line or the terminal that a text is printed on."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode("ascii")
        for char in text
    )


def quoted(text: str, longest: int = 60) -> str:
    """Show a piece of a text within one line: quoted, escaped, cut, and without ``user:password@``."""
    login, at, rest = text.rpartition("@")
    text = f"***@{rest}" if at and ":" in login else text
    cut = text if len(text) <= longest else text[:longest] + "…"
    return '"' + printable(cut).replace('"', '\\"') + '"'
