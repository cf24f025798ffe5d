"""Why nothing can be learned from the API server."""

from __future__ import annotations


class ApiError(Exception):
    """It cannot be asked, or does not answer what was asked; the text is one line without secrets.

    Attributes:
        refused: it is there and says no: only a person can mend that.
    """

    def __init__(self, text: str, *, refused: bool = False) -> None:
        super().__init__(text)
        self.refused = refused


class ExpiredError(ApiError):
    """It does not know any more what happened since then: everything has to be listed again."""


class TokenError(ApiError):
    """It does not know who we are: the token may have been replaced by another."""
