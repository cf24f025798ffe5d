"""What can be wrong with an exposition."""

from __future__ import annotations

from attrs import frozen


class BadExpositionError(ValueError):
    """A body is no exposition; the text says what is wrong and never quotes a value."""


@frozen
class Problem:
    """Something of a target that is not in the merged result.

    Attributes:
        process: whose target it is.
        text: one line for people, without values of labels.
        whole: nothing of the target is in the result.
    """

    process: str
    text: str
    whole: bool
