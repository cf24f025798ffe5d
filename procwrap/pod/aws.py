"""The instance metadata service of AWS, version 2: a token first, then the spot instance action.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.interfaces import IReactorTime

from procwrap.core.oneline import one_line
from procwrap.pod.ask import Answer, Ask, AskError, Request

TOKEN_LASTS = 21_600
"""Seconds; AWS allows no more."""
EARLY = 300.0
"""Seconds before its end at which a token is renewed."""

_TOKEN = re.compile(rb"[\x21-\x7e]{1,4096}\Z")


@define(eq=False)
class Aws:
    """A ``preemption.Herald``.

    Args:
        base: where the service is.
        where: the same for people.
    """

    _base: str = field(repr=False)
    where: str
    _ask: Ask
    _clock: IReactorTime
    # As AWS advises.
    period: float = 5.0
    _token: str = field(init=False, default="", repr=False)
    _token_until: float = field(init=False, default=0.0)

    @inlineCallbacks
    def look(self) -> Generator[Deferred[Any], Any, str]:
        """Ask once; return what is announced."""
        answer = yield self._action()
        if answer.status == 401:
            # It may have run out early: the machine slept, or the service was started anew.
            self._token = ""
            answer = yield self._action()
        return _announced(answer)

    @inlineCallbacks
    def _action(self) -> Generator[Deferred[Any], Any, Answer]:
        if not self._token or self._clock.seconds() >= self._token_until:
            yield self._renew()
        url = f"{self._base}/latest/meta-data/spot/instance-action"
        headers = {"X-aws-ec2-metadata-token": self._token}
        answer: Answer = yield self._ask(Request("GET", url, self.where, headers))
        return answer

    @inlineCallbacks
    def _renew(self) -> Generator[Deferred[Any], Any, None]:
        headers = {"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_LASTS), "Content-Length": "0"}
        url = f"{self._base}/latest/api/token"
        answer = yield self._ask(Request("PUT", url, self.where, headers))
        if answer.status != 200 or not _TOKEN.match(answer.body):
            raise AskError(f"{answer.status} for a token, expected 200 and one")
        self._token = answer.body.decode("ascii")
        self._token_until = self._clock.seconds() + TOKEN_LASTS - EARLY


def _announced(answer: Answer) -> str:
    if answer.status == 404:
        return ""
    if answer.status != 200:
        raise AskError(f"{answer.status}, expected 200 or 404")
    try:
        said = json.loads(answer.body)
        action, time = said["action"], said["time"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise AskError("expected JSON with an action and its time, got something else") from None
    return one_line(f"AWS will {action} this machine at {time}", 120)
