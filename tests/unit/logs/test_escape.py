from __future__ import annotations

from hypothesis import given

from procwrap.logs.escape import encode, escape_block, escape_text, one_line
from tests.support.childlines import blocks
from tests.support.plainlogs import escaped


@given(blocks)
def test_blocks_are_escaped_as_their_text_is(block: bytes) -> None:
    """Escaping a whole block gives what escaping each character of each line gives."""
    text = block.decode(errors="replace")
    expected = "\n".join(escaped(line) for line in text.split("\n"))
    assert escape_block(block, block).decode() == expected
    assert "\n".join(escape_text(line) for line in text.split("\n")) == expected


def test_a_line_for_a_person_keeps_its_quotes() -> None:
    """Only what could break the line or the terminal is escaped."""
    assert one_line('cannot open "C:\\x"') == 'cannot open "C:\\x"'
    assert one_line('a "b"\n\x1b[31m\x9b') == 'a "b"\\n\\u001b[31m\\u009b'


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    """Text that UTF-8 cannot hold is still written."""
    assert encode("a\ud800b€") == "a\ufffdb€".encode()
