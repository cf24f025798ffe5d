from __future__ import annotations

import shutil
import subprocess

import pytest

from procwrap.metrics.merge import Form, Target, merge
from procwrap.metrics.problem import Problem
from procwrap.metrics.syntax import Syntax
from tests.support.expositions import read

OPEN = Syntax.OPENMETRICS


def merged(*bodies: bytes, form: Form | None = None, kind: str = "") -> bytes:
    """What becomes of the targets ``a``, ``b`` …, none of which may have a problem."""
    out, problems = merge(targets(*bodies, kind=kind), form or Form())
    assert problems == []
    read(out, (form or Form()).syntax)
    return out


def targets(*bodies: bytes, kind: str = "") -> list[Target]:
    return [Target("abcdef"[number], [body], kind) for number, body in enumerate(bodies)]


def samples(*bodies: bytes, form: Form | None = None, kind: str = "") -> bytes:
    """The same without what is said about families."""
    lines = merged(*bodies, form=form, kind=kind).splitlines(True)
    return b"".join(line for line in lines if not line.startswith(b"#"))


@pytest.mark.parametrize(
    ("line", "written"),
    [
        (b"x NaN", b'x{process_name="a"} NaN'),
        (b"x +Inf", b'x{process_name="a"} +Inf'),
        (b"x -Inf", b'x{process_name="a"} -Inf'),
        (b"x Inf", b'x{process_name="a"} Inf'),
        (b"x nan", b'x{process_name="a"} nan'),
        (b"x 1e+06", b'x{process_name="a"} 1e+06'),
        (b"x 1000000", b'x{process_name="a"} 1000000'),
        (b"x 0.1E-7", b'x{process_name="a"} 0.1E-7'),
        (b"x +.5", b'x{process_name="a"} +.5'),
        (b"x 1.", b'x{process_name="a"} 1.'),
        (b"x 1 1395066363000", b'x{process_name="a"} 1 1395066363000'),
        (b"x 1 -3982045", b'x{process_name="a"} 1 -3982045'),
        (b"x{} 1", b'x{process_name="a"} 1'),
        (b"x{ } 1", b'x{process_name="a"} 1'),
        (b"a:x:y 1", b'a:x:y{process_name="a"} 1'),
        (b'x{a=""} 1', b'x{process_name="a",a=""} 1'),
        (b'x{a="1",b="",} 1', b'x{process_name="a",a="1",b=""} 1'),
        (b'x{a="}"} 1', b'x{process_name="a",a="}"} 1'),
        (b'x{a="{,#} 5"} 1', b'x{process_name="a",a="{,#} 5"} 1'),
        (b'x{a="\\"\\\\\\n"} 1', b'x{process_name="a",a="\\"\\\\\\n"} 1'),
        (b'x{a="C:\\new\\tab"} 1', b'x{process_name="a",a="C:\\new\\\\tab"} 1'),
        (b'\tx  { a = "1" , b="2" }  1  5 ', b'x{process_name="a",a="1",b="2"} 1 5'),
        (b'x{a="1"}1', b'x{process_name="a",a="1"} 1'),
        (b"x 1\r", b'x{process_name="a"} 1'),
        (b'x{a="caf\xc3\xa9\r"} 1', b'x{process_name="a",a="caf\xc3\xa9\r"} 1'),
        (b'x{process_name="p"} 1', b'x{process_name="a",exported_process_name="p"} 1'),
        (
            b'x{exported_process_name="q",process_name="p"} 1',
            b'x{process_name="a",exported_process_name="q",exported_exported_process_name="p"} 1',
        ),
        (
            b'x{a="y,process_name=",process_name="p"} 1',
            b'x{process_name="a",a="y,process_name=",exported_process_name="p"} 1',
        ),
    ],
)
@pytest.mark.parametrize("around", [b"%s", b"\n# remark\n#HELP\n%s\n\n# EOF\n", b'x{z="9"} 9\n%s\n'])
def test_a_line(line: bytes, written: bytes, around: bytes) -> None:
    """Every way to write a sample is understood, and its number is printed as it came."""
    got = (
        samples(around % line).splitlines()
        if b'\r"' not in line
        else [samples(around % line).split(b"\n")[0]]
    )
    assert written in got


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"x 1\n<html>\nx 2\n", "line 2: not a sample"),
        (b'x 1\nx{a="1\n', "line 2: not a sample"),
        (b"x\n", "line 1: not a sample"),
        (b"x 1 2 3\n", "line 1: not a sample"),
        (b"x one\n", "line 1: not a sample"),
        (b"x 1_000\n", "line 1: not a sample"),
        (b"x 0x10\n", "line 1: not a sample"),
        (b"x 1e999\n", "line 1: a number beyond what a double holds"),
        (b"x 1 1.5\n", "line 1: not a time stamp"),
        (b"x 1 99999999999999999999\n", "line 1: not a time stamp"),
        (b"1x 1\n", "line 1: not a sample"),
        (b'x{1="a"} 1\n', "line 1: not a sample"),
        (b'x{a="1" b="2"} 1\n', "line 1: not a sample"),
        (b"x{a='1'} 1\n", "line 1: not a sample"),
        (b'{"x"} 1\n', "line 1: not a sample"),
        (b'y 1\nx{a="1",b="2",a="3"} 1\n', "line 2: a label given twice"),
        (b'x{ a="1",a="3"} 1\n', "line 1: a label given twice"),
        (b'x 1 # {a="b"} 1\n', "line 1: not a sample"),
        (b"# TYPE x gouge\n", "line 1: an unknown type"),
        (b"x 1\n\xff\n", "it is not UTF-8"),
        (b"x 1\0\n", "it holds a NUL byte"),
        (b"x" * 300_000, "a line of more than 256 KiB"),
    ],
)
def test_garbage(body: bytes, why: str) -> None:
    """A target with anything that is none loses itself as a whole, and nobody else."""
    out, problems = merge(targets(b"good 1\n", body, b"good 2\n"), Form())
    assert out == b'# TYPE good untyped\ngood{process_name="a"} 1\ngood{process_name="c"} 2\n'
    assert problems == [Problem("b", why, whole=True)]


@pytest.mark.parametrize("body", [b"x 1\n", b"", b"x 1\n# EOF\nx 2\n"])
def test_openmetrics_has_an_end(body: bytes) -> None:
    """Without its end, or with something behind it, OpenMetrics was cut off or is broken."""
    _, [problem] = merge(targets(body, kind=OPEN.value), Form())
    assert "# EOF" in problem.text


def test_empty_targets() -> None:
    """A target without metrics is no failure."""
    assert merged(b"", b"\n\n", b"# HELP x\n# TYPE x gauge\n") == b""
    assert merged(b"", form=Form(OPEN)) == b"# EOF\n"


def test_empty_help() -> None:
    """A HELP without text is understood, and the text of another target is taken."""
    said = b"# HELP x\n# TYPE x gauge\nx 1\n"
    assert merged(said) == b'# TYPE x gauge\nx{process_name="a"} 1\n'
    assert merged(said, b"# HELP x  The x.\nx 2\n").startswith(b"# HELP x The x.\n# TYPE x gauge\n")


def test_each_family_once() -> None:
    """HELP and TYPE stand once, before all samples of a family, whatever the targets do."""
    body = (
        b'late 1\nb 1\n# TYPE late gauge\n# HELP late Late.\nb{x="1"} 2\n# TYPE b counter\n# TYPE b counter\n'
        b'# HELP b One.\n# HELP b Two.\nlate{x="1"} 2\n'
    )
    assert merged(body, body) == (
        b"# HELP b One.\n# TYPE b counter\n"
        b'b{process_name="a",x="1"} 2\nb{process_name="a"} 1\n'
        b'b{process_name="b",x="1"} 2\nb{process_name="b"} 1\n'
        b'# HELP late Late.\n# TYPE late gauge\nlate{process_name="a",x="1"} 2\n'
        b'late{process_name="a"} 1\nlate{process_name="b",x="1"} 2\nlate{process_name="b"} 1\n'
    )


HISTOGRAM = (
    b"# HELP h Seconds.\n# TYPE h histogram\n"
    b'h_bucket{le="5"} 1\nh_bucket{le="10"} 2\nh_bucket{le="+Inf"} 3\nh_sum 9\nh_count 3\n'
)


def test_histograms_stay_whole() -> None:
    """Buckets, sum and count stay under their family, in the order of the target."""
    out = merged(HISTOGRAM, HISTOGRAM)
    assert out.count(b"\n# TYPE h histogram\n") == out.count(b"# HELP h Seconds.\n") == 1
    lines = [line.split(b"{")[0] for line in out.splitlines()[2:]]
    assert lines == [b"h_bucket", b"h_bucket", b"h_bucket", b"h_sum", b"h_count"] * 2
    assert out.index(b'le="5"') < out.index(b'le="10"')


def test_contradicting_types() -> None:
    """The family of the later target is left out, and named; its other families are there."""
    out, problems = merge(
        targets(
            b"# TYPE x gauge\nx 1\n",
            b"# TYPE x counter\nx 2\ny 3\n",
            HISTOGRAM,
            b"# TYPE h_sum gauge\nh_sum 4\n",
        ),
        Form(),
    )
    assert b'x{process_name="a"} 1\n' in out
    assert b"x 2" not in out
    assert b'y{process_name="b"} 3\n' in out
    assert [(problem.process, problem.text) for problem in problems] == [
        ("b", "left out what another target has otherwise: x (counter, not gauge)"),
        ("d", "left out what another target has otherwise: h_sum (h_sum is part of h)"),
    ]


def test_who_does_not_know_a_type_does_not_contradict() -> None:
    """A family without a type takes that of the other target."""
    assert merged(b"x 1\n", b"# TYPE x counter\nx 2\n").startswith(b"# TYPE x counter\n")
    assert merged(b"# TYPE x gauge\nx 1\n", b"# TYPE x untyped\nx 2\n").startswith(b"# TYPE x gauge\n")


def test_repeated_samples() -> None:
    """Of a series that a target has twice the first counts; with another time stamp it is another sample."""
    body = b'x{a="1"} 1\nx 5\nx{a="1"} 2\nx{a="1"} 3 4000\nx{a="1"} 4 4000\nx 6\n' + HISTOGRAM + b"h_sum 7\n"
    out, problems = merge(targets(body), Form(sort=False))
    assert [line for line in out.splitlines() if line.startswith(b"x")] == [
        b'x{process_name="a",a="1"} 1', b'x{process_name="a"} 5', b'x{process_name="a",a="1"} 3 4000',
    ]  # fmt: skip
    assert [problem.text for problem in problems] == [
        "left out 3 that repeat another sample: x",
        "left out 1 that repeat another sample: h_sum",
    ]
    assert merge(targets(body), Form())[0].count(b"\n") == out.count(b"\n")


def test_unsorted() -> None:
    """Without sorting everything keeps its order: that of the targets, their families, and their samples."""
    body = b'z 1\ny{b="1"} 1\ny{a="1"} 1\n'
    assert samples(b"y 0\n", body, form=Form(sort=False)) == (
        b'y{process_name="a"} 0\ny{process_name="b",b="1"} 1\ny{process_name="b",a="1"} 1\n'
        b'z{process_name="b"} 1\n'
    )


def test_openmetrics_to_openmetrics() -> None:
    """What has its place only in OpenMetrics is there when it was asked for: exemplars, units, parts."""
    body = (
        b'# TYPE r_seconds counter\n# UNIT r_seconds seconds\n# HELP r_seconds Says \\"so\\".\n'
        b'r_seconds_total{a="1"} 17.0 1520879607.789 # {trace_id="K{OO"} 0.67 1520879607.1\n'
        b'r_seconds_created{a="1"} 1520430000.123 1520879607.789\n'
        b'# TYPE v info\nv_info{version="1"} 1\n# TYPE s stateset\ns{s="on"} 1\n'
        b'# TYPE g gaugehistogram\ng_bucket{le="+Inf"} 2\ng_gcount 2\ng_gsum 3\n# EOF\n'
    )
    assert merged(body, form=Form(OPEN, sort=False), kind=OPEN.value) == (
        b'# HELP r_seconds Says \\"so\\".\n# TYPE r_seconds counter\n# UNIT r_seconds seconds\n'
        b'r_seconds_total{process_name="a",a="1"} 17.0 1520879607.789 # {trace_id="K{OO"} 0.67 1520879607.1\n'
        b'r_seconds_created{process_name="a",a="1"} 1520430000.123 1520879607.789\n'
        b'# TYPE v info\nv_info{process_name="a",version="1"} 1\n'
        b'# TYPE s stateset\ns{process_name="a",s="on"} 1\n'
        b'# TYPE g gaugehistogram\ng_bucket{process_name="a",le="+Inf"} 2\n'
        b'g_gcount{process_name="a"} 2\ng_gsum{process_name="a"} 3\n# EOF\n'
    )
    assert merged(body, kind=OPEN.value) == (
        b'# TYPE g histogram\ng_bucket{process_name="a",le="+Inf"} 2\n'
        b'# TYPE g_gcount gauge\ng_gcount{process_name="a"} 2\n'
        b'# TYPE g_gsum gauge\ng_gsum{process_name="a"} 3\n'
        b'# HELP r_seconds_created Says "so".\n# TYPE r_seconds_created gauge\n'
        b'r_seconds_created{process_name="a",a="1"} 1520430000.123 1520879607789\n'
        b'# HELP r_seconds_total Says "so".\n# TYPE r_seconds_total counter\n'
        b'r_seconds_total{process_name="a",a="1"} 17.0 1520879607789\n'
        b'# TYPE s gauge\ns{process_name="a",s="on"} 1\n'
        b'# TYPE v_info gauge\nv_info{process_name="a",version="1"} 1\n'
    )


@pytest.mark.parametrize(
    ("body", "titles"),
    [
        (b"# TYPE x_total counter\nx_total 1\n", [b"x counter"]),
        (b"# TYPE x counter\nx 1\n", [b"x unknown"]),
        (b"# TYPE _total counter\n_total 1\n", [b"_total unknown"]),
        (b"# TYPE x_total counter\nx_total -1\n", [b"x_total unknown"]),
        (b"# TYPE x_total counter\nx_total nan\n", [b"x_total unknown"]),
        (b"# TYPE x_total counter\nx_total 1\n# TYPE x gauge\nx 1\n", [b"x gauge", b"x_total unknown"]),
        (b"# TYPE x_total counter\nx_total 1\n# TYPE x_created gauge\nx_created 1\n", [b"x counter"]),
        (
            b"# TYPE x_total counter\nx_total 1\n# TYPE x_created counter\nx_created 1\n",
            [b"x_created unknown", b"x_total unknown"],
        ),
        (b'# TYPE x summary\nx{quantile="0.5"} NaN\nx_sum 0\nx_count 0\n', [b"x summary"]),
        (
            b"# TYPE x summary\nx 5\nx_sum 0\nx_count 0\n",
            [b"x unknown", b"x_count unknown", b"x_sum unknown"],
        ),
        (HISTOGRAM.replace(b"9", b"-9"), [b"h_bucket unknown", b"h_count unknown", b"h_sum unknown"]),
        (
            HISTOGRAM.replace(b"h_sum 9", b"h_sum 9 5000"),
            [b"h_bucket unknown", b"h_count unknown", b"h_sum unknown"],
        ),
    ],
)
def test_text_to_openmetrics(body: bytes, titles: list[bytes]) -> None:
    """What OpenMetrics does not admit as it is becomes unknown; no sample is lost."""
    out = merged(body, form=Form(OPEN))
    assert [line[7:] for line in out.splitlines() if line.startswith(b"# TYPE ")] == titles
    assert sum(not line.startswith(b"#") for line in out.splitlines()) == sum(
        not line.startswith(b"#") for line in body.splitlines()
    )


def test_groups_for_openmetrics() -> None:
    """What a client writes buckets first is regrouped: OpenMetrics wants all of one label set together."""
    body = (
        b"# TYPE h histogram\n"
        b'h_bucket{a=",le=",le="+Inf",b="x"} 1\n'
        b'h_bucket{a="2",le="1",b="x"} 2\nh_bucket{a="2",le="+Inf",b="x"} 2\n'
        b'h_count{a=",le=",b="x"} 1\nh_count{a="2",b="x"} 2\nh_sum{a=",le=",b="x"} 1\nh_sum{a="2",b="x"} 2\n'
    )
    lines = samples(body, form=Form(OPEN)).splitlines()
    assert [b"le=" in line.split(b'a="')[1][:5] for line in lines] == [True] * 3 + [False] * 4


def test_the_same_process_whatever_its_client_speaks() -> None:
    """A counter with its beginning, told in either format, is one family."""
    text = b"# TYPE x_total counter\nx_total 1\n# TYPE x_created gauge\nx_created 5\n"
    text += b"# TYPE v_info gauge\nv_info 1\n"
    open_text = b"# TYPE x counter\nx_total 2\nx_created 6\n# TYPE v info\nv_info 1\n# EOF\n"
    for syntax, count in ((Syntax.TEXT, 3), (OPEN, 2)):
        out, problems = merge([Target("a", [text]), Target("b", [open_text], OPEN.value)], Form(syntax))
        assert (problems, out.count(b"# TYPE"), out.count(b"process_name")) == ([], count, 6)
        read(out, syntax)


def test_process_names_are_escaped() -> None:
    """Whatever a process is called, the result is an exposition."""
    out, _ = merge([Target('a"\\\n', [b"x 1\n"])], Form())
    assert out.endswith(b'x{process_name="a\\"\\\\\\n"} 1\n')


def test_many_labels() -> None:
    """Lines with more labels than the quick way knows are read the other way."""
    labels = b",".join(b'l%d="%d"' % (number, number) for number in range(40))
    assert samples(b"x{%s} 1\nx{%s} 2 5000\n" % (labels, labels)).count(labels) == 2


def test_promtool_accepts_it() -> None:
    """Prometheus' own tool has nothing to say against the result."""
    promtool = shutil.which("promtool")
    assert promtool, "install the Debian package prometheus"
    body = HISTOGRAM + (
        b'# HELP g Gsum.\n# TYPE g gaugehistogram\ng_bucket{le="+Inf"} 2\ng_gcount 2\ng_gsum 3\n'
        b'# HELP t_seconds S.\n# TYPE t_seconds summary\nt_seconds{quantile="0.5"} NaN\n'
        b"t_seconds_sum 0\nt_seconds_count 0\n"
        b'# HELP c_total C.\n# TYPE c_total counter\nc_total{a="}\\""} 1 1395066363000\n'
    )
    out, problems = merge(targets(body, body), Form())
    done = subprocess.run([promtool, "check", "metrics"], input=out, capture_output=True, check=False)
    assert (problems, done.returncode, done.stderr + done.stdout) == ([], 0, b"")
