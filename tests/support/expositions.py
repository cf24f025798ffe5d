"""Metrics as a test means them, written in either text format, and read back by the reference parsers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from attrs import field, frozen
from hypothesis import strategies as some
from prometheus_client import parser as text_parser
from prometheus_client.openmetrics import parser as open_parser

from procwrap.metrics.syntax import Syntax

Labels = tuple[tuple[str, str], ...]
Seen = tuple[str, Labels, str, float | None]
"""A sample as a parser sees it: name, sorted labels, repr of its value (NaN is no equal of itself), time."""


@frozen
class Sample:
    """One sample; ``at`` is milliseconds."""

    suffix: str
    labels: Labels
    value: str
    at: int | None = None


@frozen
class Family:
    """One family; ``name`` is that of OpenMetrics."""

    name: str
    kind: str
    samples: tuple[Sample, ...]
    about: str = ""


@frozen
class Exposition:
    """What one target shows."""

    families: tuple[Family, ...]
    syntax: Syntax
    careless: bool = False
    crlf: bool = False
    content_type: str = field(init=False)

    @content_type.default
    def _content_type(self) -> str:
        return self.syntax.value

    @property
    def body(self) -> bytes:
        """As it goes over the wire."""
        lines = [line for family in self.families for line in self._lines(family)]
        if self.syntax is Syntax.OPENMETRICS:
            lines.append("# EOF")
        end = "\r\n" if self.crlf else "\n"
        return (end.join(lines) + ("" if self.careless else end)).encode()

    def seen(self, process: str) -> set[Seen]:
        """What a parser is to find of this in the merged result."""
        return {
            (
                family.name + sample.suffix,
                _with_process(sample.labels, process),
                repr(float(sample.value)),
                None if sample.at is None else sample.at / 1000,
            )
            for family in self.families
            for sample in family.samples
        }

    def _lines(self, family: Family) -> Iterator[str]:
        in_text = self.syntax is Syntax.TEXT
        title = family.name + ("_total" if in_text and family.kind == "counter" else "")
        kind = {"unknown": "untyped"}.get(family.kind, family.kind) if in_text else family.kind
        if family.about:
            yield f"# HELP {title} {_escaped(family.about) if not in_text else _escaped_help(family.about)}"
        if kind != "untyped" or not self.careless:
            yield f"# TYPE {title} {kind}"
        if self.careless and in_text:
            yield from ("", "# a remark", "#EOF")
        apart = [one for one in family.samples if one.suffix == "_created" and in_text]
        for sample in family.samples:
            if sample not in apart:
                yield self._line(family.name, sample)
        if apart:
            yield f"# TYPE {family.name}_created gauge"
        for sample in apart:
            yield self._line(family.name, sample)

    def _line(self, name: str, sample: Sample) -> str:
        blank = " \t" if self.careless and self.syntax is Syntax.TEXT else ""
        pairs = [f'{key}{blank}={blank}"{_escaped(value)}"' for key, value in sample.labels]
        labels = "{" + f",{blank}".join(pairs) + (",}" if blank and pairs else "}") if pairs or blank else ""
        at = "" if sample.at is None else f" {sample.at}"
        if sample.at is not None and self.syntax is Syntax.OPENMETRICS:
            at = f" {sample.at // 1000}.{sample.at % 1000:03d}"
        return f"{name}{sample.suffix}{blank}{labels} {blank}{sample.value}{at}"


def read(body: bytes, syntax: Syntax) -> list[Any]:
    """Return the families that the reference parser reads; it raises for what is no exposition."""
    parser = text_parser if syntax is Syntax.TEXT else open_parser
    return list(parser.text_string_to_metric_families(body.decode()))


def samples_of(families: Iterable[Any]) -> list[Seen]:
    """Return all samples that a parser has read."""
    return [
        (
            sample.name,
            tuple(sorted(sample.labels.items())),
            repr(float(sample.value)),
            None if sample.timestamp is None else round(float(sample.timestamp), 3),
        )
        for family in families
        for sample in family.samples
    ]


def _with_process(labels: Labels, process: str) -> Labels:
    given = dict(labels)
    if "process_name" in given:
        new = "exported_process_name"
        while new in given:
            new = f"exported_{new}"
        given[new] = given.pop("process_name")
    return tuple(sorted({**given, "process_name": process}.items()))


def _escaped_help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _escaped(text: str) -> str:
    return _escaped_help(text).replace('"', r"\"")


# What hypothesis makes of it. The type of a family follows from its name, so that targets never contradict.

_TEXT = some.text(some.characters(codec="utf-8", exclude_characters="\0"), max_size=6) | some.sampled_from(
    ["", "}", "{", ",", "#", '"', "\\", "\n", 'a="b",c', " # {", "} 1", ",process_name=", "C:\\new"]
)
_NAMES = some.sampled_from(["a", "b", "process_name", "exported_process_name", "le_", "_"])
_LABELS = (
    some.dictionaries(_NAMES, _TEXT, max_size=3)
    # With only one of them each, two series of a target would become the same.
    .filter(lambda labels: "process_name" in labels or "exported_process_name" not in labels)
    .map(lambda labels: tuple(labels.items()))
)
_NUMBERS = (
    some.floats().map(repr).map(lambda text: {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}.get(text, text))
    | some.integers(-(10**30), 10**30).map(str)
    | some.sampled_from(["1e+06", "0.1e-7", "5.", "1E3"])
)
_COUNTS = some.integers(0, 10**6).map(str) | some.floats(0, 1e9).map(repr)
_TIMES = some.none() | some.integers(0, 4 * 10**12)
_LABEL_SETS = some.lists(_LABELS, min_size=1, max_size=3, unique_by=frozenset)


@some.composite
def _families(draw: some.DrawFn) -> Family:
    kind = draw(some.sampled_from(["counter", "gauge", "histogram", "summary", "unknown"]))
    name = f"{kind}:{draw(some.integers(0, 2))}"
    at = draw(_TIMES)
    samples: list[Sample] = []
    created = draw(some.booleans()) and kind in ("counter", "histogram", "summary")
    for labels in draw(_LABEL_SETS):
        samples += _group(draw, kind, labels, at)
        if created:
            samples.append(Sample("_created", labels, "1.5e9", at))
    return Family(name, kind, tuple(samples), draw(_TEXT.map(str.strip)))


def _group(draw: some.DrawFn, kind: str, labels: Labels, at: int | None) -> Sequence[Sample]:
    if kind == "counter":
        return [Sample("_total", labels, draw(_COUNTS), at)]
    if kind in ("gauge", "unknown"):
        return [Sample("", labels, draw(_NUMBERS), at)]
    count, total = draw(some.integers(0, 100)), draw(_COUNTS)
    ends = [Sample("_sum", labels, total, at), Sample("_count", labels, str(count), at)]
    if kind == "summary":
        return [Sample("", (*labels, ("quantile", "0.5")), draw(_COUNTS), at), *ends]
    place = draw(some.integers(0, len(labels)))
    bounds = [("0.5", count // 2), ("1", count), ("+Inf", count)]
    buckets = [
        Sample("_bucket", (*labels[:place], ("le", bound), *labels[place:]), str(value), at)
        for bound, value in bounds
    ]
    return [*buckets, *ends]


def expositions() -> some.SearchStrategy[Exposition]:
    """Any valid exposition."""
    families = some.lists(_families(), max_size=4, unique_by=lambda family: family.name).map(tuple)
    return some.builds(
        Exposition,
        families,
        some.sampled_from(Syntax),
        careless=some.booleans(),
        crlf=some.booleans(),
    )
