"""The files of the status page, read once, with what a browser needs to keep them."""

from __future__ import annotations

from collections.abc import Mapping
from gzip import compress
from hashlib import sha256
from pathlib import Path
from string import Template

from attrs import frozen
from twisted.web.iweb import IRequest

from procwrap.web.answers import NOT_MODIFIED, OK, Pairs, Reply

FOLDER = Path(__file__).parent / "page"

_TYPES = {".js": b"text/javascript; charset=utf-8", ".css": b"text/css; charset=utf-8"}
HTML = b"text/html; charset=utf-8"

POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may load and do: its own files, and talk to whoever has sent it."""

_SMALLEST = 256
_LARGEST = 512 * 1024
"""Bytes of what is compressed while somebody waits."""


@frozen
class Kept:
    """A body in both forms, with its headers; the browser may keep it, and asks whether it is still right."""

    plain: bytes
    packed: bytes | None
    kind: bytes
    tag: bytes

    def reply(self, request: IRequest) -> Reply:
        """Answer with it, or that the browser has it already."""
        headers: Pairs = (
            (b"Content-Security-Policy", POLICY),
            (b"Cache-Control", b"no-cache"),
            (b"ETag", self.tag),
            (b"Vary", b"Accept-Encoding"),
        )
        asked = request.requestHeaders
        if _names(asked.getRawHeaders(b"if-none-match", []), self.tag):
            return Reply(NOT_MODIFIED, content_type=self.kind, headers=headers)
        if self.packed is not None and _takes_gzip(asked.getRawHeaders(b"accept-encoding", [])):
            return Reply(OK, self.packed, self.kind, (*headers, (b"Content-Encoding", b"gzip")))
        return Reply(OK, self.plain, self.kind, headers)


def keep(body: bytes, kind: bytes, level: int = 9) -> Kept:
    """Compress a body, where that pays, and name it by what is in it."""
    # Weak (RFC 9110, 8.8.1): the compressed and the plain form have the same name.
    tag = b'W/"%s"' % sha256(body).hexdigest()[:20].encode()
    packed = compress(body, level, mtime=0) if _SMALLEST <= len(body) <= _LARGEST else None
    return Kept(body, packed, kind, tag)


def _names(conditions: list[bytes], tag: bytes) -> bool:
    named = [one.strip().removeprefix(b"W/") for line in conditions for one in line.split(b",")]
    return b"*" in named or tag.removeprefix(b"W/") in named


def _takes_gzip(accepted: list[bytes]) -> bool:
    for one in b",".join(accepted).lower().split(b","):
        name, _, weight = one.strip().partition(b";")
        if name.strip() in (b"gzip", b"*"):
            return weight.replace(b" ", b"").rstrip(b"0") not in (b"q=", b"q=0.")
    return False


def _template(name: str) -> Template:
    return Template((FOLDER / name).read_text(encoding="utf-8"))


INDEX, ROW = _template("index.html"), _template("row.html")

FILES: Mapping[str, Kept] = {
    path.name: keep(path.read_bytes(), _TYPES[path.suffix])
    for path in sorted(FOLDER.iterdir())
    if path.suffix in _TYPES
}
"""What is served below /page/, by name."""
