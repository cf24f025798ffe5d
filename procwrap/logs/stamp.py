"""RFC 3339 time stamps in UTC with milliseconds, cheap enough to make one for each chunk."""

from __future__ import annotations

import time

from attrs import define


@define(eq=False)
class Stamper:
    """Turns epoch seconds into ``2026-11-21T20:03:04.567Z``, remembering the second it last spelled out."""

    _millis: int = -1
    _text: str = ""
    _second: int = -1
    _spelled: str = ""

    def __call__(self, epoch: float) -> str:
        """Return the stamp of ``epoch``, in seconds since 1970, to the nearest millisecond."""
        millis = int(epoch * 1000 + 0.5)
        if millis != self._millis:
            second, rest = divmod(millis, 1000)
            if second != self._second:
                self._spelled = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
                self._second = second
            self._text = f"{self._spelled}.{rest:03d}Z"
            self._millis = millis
        return self._text
