"""Foreign text in a line of ours."""

from __future__ import annotations

from procwrap.core.secrets import without_passwords

LONGEST = 512
"""Characters of a reason; more than that is cut."""


def one_line(text: str, longest: int = LONGEST) -> str:
    """Put foreign text on one line: no control characters, no passwords of URLs, not too long."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    words = without_passwords(" ".join(printable.split()))
    return words if len(words) <= longest else words[: longest - 1] + "…"
