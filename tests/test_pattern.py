"""A pattern is `re.compile`'s, but for the moment in which it is compiled."""

import re

import pytest

from applet.pattern import compile_all, pattern


def test_it_finds_what_a_compiled_one_finds() -> None:
    ours, theirs = pattern(r"(b+)(?=c)", re.IGNORECASE), re.compile(r"(b+)(?=c)", re.IGNORECASE)
    for text in ("abBc", "abd", "", "bc bbc"):
        assert ours.findall(text) == theirs.findall(text)
        assert ours.sub("x", text) == theirs.sub("x", text)
        assert (ours.search(text) is None) == (theirs.search(text) is None)
    assert ours.pattern == theirs.pattern


def test_it_is_compiled_when_it_is_first_used() -> None:
    wrong = pattern("(")
    with pytest.raises(re.error, match="missing"):
        wrong.search("")


def test_all_of_them_can_be_had_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("applet.pattern._waiting", [])
    pattern("(")
    with pytest.raises(re.error, match="missing"):
        compile_all()
    compile_all()


class Emptied(list[object]):
    """Says that one is left where another thread has just taken the last."""

    def __len__(self) -> int:
        return max(1, super().__len__())


def test_two_threads_may_make_them_ready_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("applet.pattern._waiting", Emptied())
    made = pattern("7+")
    compile_all()
    assert made.findall("7 77") == ["7", "77"]


def test_bytes_have_patterns_too() -> None:
    assert pattern(rb"[0-9]+").findall(b"1, 22") == [b"1", b"22"]


def test_what_a_compiled_one_has_not_this_has_not() -> None:
    with pytest.raises(AttributeError):
        pattern("a").search_all  # type: ignore[attr-defined]  # noqa: B018
