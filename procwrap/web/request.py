"""One request, within the bounds of its connection."""

# mypy: disable-error-code="no-untyped-call"
# twisted.web has few annotations.

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.web.server import Request

from procwrap.web.refusal import BODY_TOO_LARGE, CROWDED

if TYPE_CHECKING:
    from procwrap.web.channel import Channel


class BoundedRequest(Request):
    """A request whose body is bounded also when its length was not told beforehand."""

    channel: Channel
    content: Any

    def handleContentChunk(self, data: bytes) -> None:
        """Take a part of the body."""
        if self.content.tell() + len(data) > self.channel.limits.body:
            self.channel.refuse(BODY_TOO_LARGE)
        else:
            super().handleContentChunk(data)

    def process(self) -> None:
        """Answer, unless there is no room and this is not about health."""
        if self.channel.crowded and self.uri not in self.channel.site.vital:
            self.channel.refuse(CROWDED)
        else:
            super().process()

    def _handleStar(self) -> None:
        # Twisted's own answer to ``OPTIONS *`` knows nothing of our headers; everything works without ours.
        self.prepath, self.postpath = [], [b"*"]
        self.render(self.channel.site.resource)
