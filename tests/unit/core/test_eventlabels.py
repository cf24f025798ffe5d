from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.core.eventlabels import LONGEST_VALUE, MOST_IN_A_FILE, label_name, read_labels


def test_names() -> None:
    """What a server would take for something else becomes an underscore."""
    assert label_name("security.istio.io/tls-Mode") == "security_istio_io_tls_Mode"


def test_a_file_of_the_downward_api() -> None:
    """As Kubernetes writes the labels of a Pod: no newline at the end."""
    text = 'app="web"\npod-template-hash="5d8"\nsecurity.istio.io/tlsMode="istio"\nempty=""'
    assert read_labels(text) == {
        "app": "web",
        "pod_template_hash": "5d8",
        "security_istio_io_tlsMode": "istio",
        "empty": "",
    }


@pytest.mark.parametrize("exclude", ["pod-template-hash", "pod_template_hash"])
def test_excluded_ones_are_left_out(exclude: str) -> None:
    """By the name in the file, or by the one that is sent."""
    assert read_labels('app="web"\npod-template-hash="5d8"', {exclude, "other"}) == {"app": "web"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r'"say \"hi\" \\ o"', 'say "hi" \\ o'),
        (r'"two\nlines\tand\r\a\b\f\v"', "two\nlines\tand\r\a\b\f\v"),
        (r'"\u00e9\U0001f680\x7f"', "é🚀\x7f"),
        (r'"\xc3\xa9"', "é"),
        (r'"\xff"', "\udcff"),
        (r'"\ud800\U00110000"', "\ufffd\ufffd"),
        ('"größe 日本"', "größe 日本"),
        ('"a=b"', "a=b"),
        ("plain", "plain"),
        ("  spaced  ", "spaced"),
        ('"half', "half"),
        (r'"odd\"', "odd\\"),
        ("", ""),
    ],
)
def test_values(written: str, meant: str) -> None:
    """What Go's strconv.Quote wrote is read back; a value without quotes is what it is."""
    assert read_labels(f"key={written}") == {"key": meant}


def test_what_is_no_label_is_passed_over() -> None:
    """Blank lines, words and nameless values do no harm; the later of two counts."""
    assert read_labels('\nword\n="x"\n # c\na="1"\r\na="2"\n') == {"a": "2"}


def test_bounds() -> None:
    """A file full of labels, or one of a megabyte, costs no more than a datagram can hold."""
    text = "\n".join(f'l{n}="{n}"' for n in range(MOST_IN_A_FILE + 500))
    assert len(read_labels(text)) == MOST_IN_A_FILE
    assert len(read_labels('a="' + "x" * 100_000 + '"')["a"]) == LONGEST_VALUE


@given(st.text())
def test_anything_can_be_read(text: str) -> None:
    """Whatever the file holds."""
    assert all(isinstance(value, str) for value in read_labels(text).values())
