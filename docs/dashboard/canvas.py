"""Pieces of SVG, and where things go in a panel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from attrs import evolve, frozen

INK, SOFT, FAINT, LINE, PAGE, CARD = "#1f2933", "#52606d", "#7b8794", "#e4e7eb", "#f3f5f8", "#ffffff"
FONT = "Inter, 'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif"
TITLE, SMALL = 13.0, 11.0


@frozen
class Box:
    """A rectangle; ``y`` grows downwards."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height

    def without(self, top: float = 0, right: float = 0, bottom: float = 0, left: float = 0) -> Box:
        """Return what is left inside of margins."""
        return Box(self.x + left, self.y + top, self.width - left - right, self.height - top - bottom)

    def below(self, height: float) -> Box:
        """Return the strip of this height at its lower edge."""
        return evolve(self, y=self.bottom - height, height=height)


def text(
    words: str,
    x: float,
    y: float,
    size: float = SMALL,
    fill: str = SOFT,
    anchor: str = "start",
    weight: int = 400,
    turn: bool = False,
) -> str:
    """Write words; ``y`` is their baseline."""
    heavy = f' font-weight="{weight}"' if weight != 400 else ""
    turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ""
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}" text-anchor="{anchor}"'
    return f"<text {place}{heavy}{turned}>{escape(words, quote=False)}</text>"


def width_of(words: str, size: float = SMALL) -> float:
    """Return about how wide words are."""
    narrow = sum(letter in "iljtf.,:;'|I ·()-" for letter in words)
    return size * (0.56 * (len(words) - narrow) + 0.3 * narrow)


def clipped(words: str, width: float, size: float = SMALL) -> str:
    """Return the words, or their beginning if there is no room for all."""
    if width_of(words, size) <= width:
        return words
    while words and width_of(words + "…", size) > width:
        words = words[:-1]
    return words.rstrip() + "…" if words else ""


def rect(box: Box, fill: str, more: str = "") -> str:
    """Fill a rectangle."""
    place = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
    return f'<rect {place} fill="{fill}" {more}/>'


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = LINE, more: str = "") -> str:
    """Draw a straight line."""
    place = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {place} stroke="{stroke}" {more}/>'


def path(points: Sequence[tuple[float, float]], close: bool = False) -> str:
    """Return the ``d`` of a line through points."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + ("Z" if close else "")


def area(points: Sequence[tuple[float, float]], fill: str, opacity: float) -> str:
    """Fill what is inside of points."""
    return f'<path d="{path(points, True)}" fill="{fill}" fill-opacity="{opacity:g}"/>'


@frozen
class Key:
    """An entry of a legend."""

    words: str
    color: str
    dash: str = ""
    block: bool = False


def legend(keys: Sequence[Key], box: Box, lines: int = 2) -> tuple[float, list[str]]:
    """Lay the entries out from left to right at the lower edge of a box.

    Returns:
        The height that is taken, and the pieces.
    """
    rows: list[list[tuple[float, Key, str]]] = [[]]
    x, left_out = 0.0, 0
    for number, key in enumerate(keys):
        words = clipped(key.words, box.width - 24)
        wide = width_of(words) + 32
        if x and x + wide > box.width - (62 if len(rows) == lines and number < len(keys) - 1 else 0):
            if len(rows) == lines:
                left_out = len(keys) - number
                break
            rows.append([])
            x = 0.0
        rows[-1].append((x, key, words))
        x += wide
    pieces, high = [], 16.0 * len(rows)
    for number, row in enumerate(rows):
        y = box.bottom - high + 16 * number + 12
        for at, key, words in row:
            pieces += [*_sign(key, box.x + at, y - 4), text(words, box.x + at + 20, y)]
    if left_out:
        pieces.append(text(f"+ {left_out} more", box.right, box.bottom - 4, fill=FAINT, anchor="end"))
    return high + 2, pieces


def _sign(key: Key, x: float, y: float) -> Iterator[str]:
    if key.block:
        yield rect(Box(x + 3, y - 5, 10, 10), key.color, 'rx="2"')
    else:
        dashed = f' stroke-dasharray="{key.dash}"' if key.dash else ""
        yield line(x, y, x + 15, y, key.color, f'stroke-width="2.5"{dashed}')
