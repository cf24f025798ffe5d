"""What is wrong with a connection string, in words that never quote it."""

from __future__ import annotations


class DsnError(ValueError):
    """A connection string cannot be used; the message says what is wrong and what is right instead.

    It never quotes what was given: any part of it may be, or hold, the password.
    """
