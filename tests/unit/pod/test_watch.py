from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.pod.podview import read_pod
from procwrap.pod.problem import ApiError, ExpiredError
from procwrap.pod.watch import Known, Lines, changed, listed
from tests.support.pods import make_pod

POD = make_pod()
SEEN = Known("7", read_pod(POD), "5a7e-1")


def at(version: str, **about: Any) -> dict[str, Any]:
    pod = make_pod(**about)
    pod["metadata"]["resourceVersion"] = version
    return pod


def line(kind: str, about: Any) -> bytes:
    return json.dumps({"type": kind, "object": about}).encode()


def a_list(*pods: Any, version: str = "9") -> bytes:
    return json.dumps({"metadata": {"resourceVersion": version}, "items": pods}).encode()


@given(st.lists(st.binary(max_size=20)), st.integers(1, 7))
def test_lines_cut_anywhere(given_lines: list[bytes], size: int) -> None:
    """However a stream is cut, its lines come out whole; empty ones are left out."""
    stream = b"".join(text.replace(b"\n", b"") + b"\n" for text in given_lines)
    lines = Lines()
    found = [each for at in range(0, len(stream), size) for each in lines.feed(stream[at : at + size])]
    assert found == [each for each in stream.split(b"\n") if each.strip()]


def test_a_line_without_an_end() -> None:
    """What is held in memory has a bound."""
    lines = Lines(most=10)
    assert lines.feed(b"12345") == []
    with pytest.raises(ApiError, match="a line of more than"):
        lines.feed(b"678901\n")


def test_a_list() -> None:
    """It says how the Pod is, and from where a watch goes on."""
    assert listed(Known(), a_list(POD), "job-1") == Known("9", read_pod(POD), "5a7e-1")


@pytest.mark.parametrize("items", [[], [make_pod(name="other")], [None], [3]])
def test_a_list_without_the_pod(items: list[Any]) -> None:
    """There is no such Pod, or the server has not done what it was asked."""
    assert listed(Known(), a_list(*items), "job-1") == Known("9")


def test_items_may_be_null() -> None:
    """As Go writes an empty list."""
    body = b'{"metadata":{"resourceVersion":"9"},"items":null}'
    assert listed(Known(), body, "job-1") == Known("9")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"metadata":{"resourceVersion":9}}', b'{"items":[]}', b"[" * 100_000],
)
def test_what_is_no_list(body: bytes) -> None:
    """Whoever answers there, it is no API server."""
    with pytest.raises(ApiError, match="the API server"):
        listed(Known(), body, "job-1")


@pytest.mark.parametrize("kind", ["ADDED", "MODIFIED"])
def test_a_change(kind: str) -> None:
    """The Pod is as it says, and a watch may go on from there."""
    pod = at("12", policy="Always")
    assert changed(SEEN, line(kind, pod), "job-1") == Known("12", read_pod(pod), "5a7e-1")


def test_a_deletion() -> None:
    """The Pod is no more."""
    assert changed(SEEN, line("DELETED", at("12")), "job-1") == Known("12", None, "5a7e-1")


def test_a_bookmark() -> None:
    """Nothing has changed, but a watch may go on from there."""
    about = {"metadata": {"resourceVersion": "99"}}
    assert changed(SEEN, line("BOOKMARK", about), "job-1") == Known("99", SEEN.pod, "5a7e-1")


def test_the_next_pod_of_this_name() -> None:
    """A StatefulSet makes a new one while the old one still runs: it is not ours."""
    assert changed(SEEN, line("ADDED", at("12", uid="next")), "job-1") == Known("12", None, "5a7e-1")
    assert listed(SEEN, a_list(at("12", uid="next")), "job-1") == Known("9", None, "5a7e-1")


def test_another_pod() -> None:
    """A server that tells about others does no harm."""
    assert changed(SEEN, line("MODIFIED", at("12", name="other")), "job-1") == Known("12", SEEN.pod, "5a7e-1")


@pytest.mark.parametrize("status", [{"code": 410}, {"reason": "Expired"}, {"reason": "Gone", "code": 1}])
def test_too_far_behind(status: dict[str, Any]) -> None:
    """Everything has to be listed again."""
    with pytest.raises(ExpiredError):
        changed(SEEN, line("ERROR", status), "job-1")


def test_another_error() -> None:
    """What the server says is told, in one line."""
    with pytest.raises(ApiError, match=r"ends the watch: no leader$") as raised:
        changed(SEEN, line("ERROR", {"code": 500, "message": "no\nleader"}), "job-1")
    assert not isinstance(raised.value, ExpiredError)


@pytest.mark.parametrize(
    "text",
    [
        b"null",
        b"{}",
        b"{",
        line("ADDED", None),
        line("ADDED", {"metadata": {"name": "job-1"}}),
        line("ADDED", {"metadata": {"name": "job-1", "resourceVersion": "9" * 1000}}),
        line("ERROR", {"message": 3}),
        b"\xff\xfe",
    ],
)
def test_what_is_no_change(text: bytes) -> None:
    """It ends the watch, and nothing more."""
    with pytest.raises(ApiError):
        changed(SEEN, text, "job-1")


@given(st.binary(max_size=60))
def test_noise(noise: bytes) -> None:
    """No bytes raise anything else."""
    try:
        changed(SEEN, noise, "job-1")
    except ApiError:
        return
    raise AssertionError(noise)
