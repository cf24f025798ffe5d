"""Why something failed, beneath what it is wrapped in."""

from __future__ import annotations


def root_cause(error: BaseException) -> BaseException:
    """Return the error that led to this one.

    An HTTP client of Twisted wraps what happened, sometimes more than once, in errors with ``reasons``: a
    list of failures, of which the first one tells.
    """
    while reasons := getattr(error, "reasons", None):
        error = reasons[0].value
    return error
