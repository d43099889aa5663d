"""What strangers write is shown only as short plain text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applet.phone.words import MOST, plain, remark


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hello there", "Hello there"),
        ("  two\r\n lines\t here ", "two lines here"),
        ("\x1b[31mred\x00", "[31mred"),
        ("a\u202eb\u200bc\ufeffd", "abcd"),
        ("x" * 200, "x" * (MOST - 1) + "…"),
        ("grüß 你好 🎧", "grüß 你好 🎧"),
        ("", ""),
    ],
)
def test_plain(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text(max_size=3000))
def test_whatever_comes_is_one_short_printable_line(text: str) -> None:
    shown = plain(text)
    assert len(shown) <= MOST
    assert all(character.isprintable() for character in shown)


@pytest.mark.parametrize("text", ["", "486", "17 - 3", "\x07"])
def test_a_bare_code_is_no_remark(text: str) -> None:
    assert remark(text) == ""


def test_a_remark_with_words_is_one() -> None:
    assert remark("Line 3\nis down") == "Line 3 is down"
