from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.config.envfile import EnvFileError, parse
from procwrap.errors import SpawnError


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("export A=1", "1"),
        ("export\tA=1", "1"),
        ("  A = 1  ", "1"),
        ("A=", ""),
        ("A= # nothing", ""),
        ("A='a b'", "a b"),
        ('A="a b"', "a b"),
        ("A=a b", "a b"),
        ("A=a # b", "a"),
        ("A=a#b", "a#b"),
        ("A=#fff", "#fff"),
        ('A="a # b" # c', "a # b"),
        ("A='it\"s $HOME \\n'", 'it"s $HOME \\n'),
        ('A="say \\"hi\\" \\\\ \\$x \\` \\n"', 'say "hi" \\ $x ` \\n'),
        ("A=a=b", "a=b"),
        ("A=it's", "it's"),
        ("A=1\r", "1"),
        ("\ufeffA=1", "1"),
        ("A=x\u2028y", "x\u2028y"),
    ],
)
def test_values(line: str, value: str) -> None:
    """A line is read as a shell that sources it would, but nothing is substituted."""
    assert parse(line, "f") == (("A", value),)


def test_lines() -> None:
    """Comments and blank lines are skipped, order and repetition are kept, CRLF does no harm."""
    text = "# head\r\n\r\n B.c-d=1\r\nexport A=2\r\n\t# more\r\nB.c-d=3"
    assert parse(text, "f") == (("B.c-d", "1"), ("A", "2"), ("B.c-d", "3"))


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("hunter2", "expected NAME=value"),
        ("export A", "expected NAME=value"),
        ("=hunter2", "expected NAME=value"),
        ("1A=hunter2", "expected NAME=value"),
        ("A B=hunter2", "expected NAME=value"),
        ("exportA =x\nA-=x\n-A=hunter2", "expected NAME=value"),
        ('A="hunter2', "the quote is not closed, or something follows it"),
        ("A='hunter2'x", "the quote is not closed, or something follows it"),
        ('A="hunter2\\"', "the quote is not closed, or something follows it"),
        ("A=hunter2\0", "it holds a NUL, which no environment can"),
    ],
)
def test_bad_lines(line: str, what: str) -> None:
    """A bad line is named by file and number; its content, which may be a secret, is not shown."""
    with pytest.raises(EnvFileError) as caught:
        parse(f"# one\nB=2\n{line}\n", "/etc/app.env")
    number = 3 + line.count("\n")
    assert str(caught.value) == f"envsFile /etc/app.env, line {number}: {what}"
    assert (caught.value.path, caught.value.number) == ("/etc/app.env", number)
    assert isinstance(caught.value, SpawnError)


@given(st.text(alphabet="A=\"'\\# \t\r\n$xé\0", max_size=40))
def test_any_text(text: str) -> None:
    """Whatever the text, it is pairs or an error of one line."""
    message = ""
    try:
        pairs = parse(text, "f")
    except EnvFileError as error:
        pairs, message = (), str(error)
    assert message.isprintable()
    assert all(name and "\0" not in value for name, value in pairs)


def test_long_lines() -> None:
    """A line of a million blanks or quotes takes no time."""
    assert parse("A=" + " " * 1_000_000 + "x", "f") == (("A", "x"),)
    with pytest.raises(EnvFileError):
        parse('A="' + '\\"' * 500_000, "f")
