from __future__ import annotations

import json

from procwrap.sinks.lokilabels import LONGEST_VALUE, left_out, stream_labels, written

WHERE = (("namespace", "shop"), ("pod", "web-1"), ("node", "n1"))
OURS = (("name", "api"), ("out", "stderr"))


def test_where_it_comes_from() -> None:
    """Every stream says which job, where, and which output of which process."""
    assert stream_labels(WHERE, OURS, ()) == {"job": "procwrap", **dict(WHERE), **dict(OURS)}


def test_the_configs_own() -> None:
    """They come along, under names that Loki takes, and go before those that say where we are."""
    labels = stream_labels(WHERE, OURS, (("k8s.io/team", "core"), ("job", "shop-api"), ("node", "")))
    assert labels == {**dict(WHERE), **dict(OURS), "job": "shop-api", "k8s_io_team": "core"}


def test_the_stream_itself_cannot_be_forged() -> None:
    """Whatever stands in the config, name and output are the true ones."""
    assert stream_labels((), OURS, (("name", "x"), ("out", "x"))) == {"job": "procwrap", **dict(OURS)}


def test_no_more_than_loki_takes() -> None:
    """Of too many the last are left out, and their names are known."""
    many = tuple((f"l.{n}", str(n)) for n in range(12))
    labels = stream_labels(WHERE, OURS, many)
    assert len(labels) == 15
    assert list(labels)[-1] == "l_8"
    assert left_out(WHERE, ("name", "out"), many) == ("l.9", "l.10", "l.11")
    assert left_out(WHERE, ("name", "out"), many[:9]) == ()


def test_empty_and_long_values() -> None:
    """An empty label is none to Loki; a long one is cut between characters."""
    labels = stream_labels((), OURS, (("empty", ""), ("long", "ä" * LONGEST_VALUE), ("odd", "a\udcffb")))
    assert "empty" not in labels
    assert labels["long"] == "ä" * (LONGEST_VALUE // 2)
    assert labels["odd"] == "ab"
    assert json.loads(written(labels)) == labels
