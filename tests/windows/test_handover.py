"""The line between two starts of the program: what is sent arrives, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applet.windows.handover import (
    LONGEST_ADDRESS,
    LONGEST_LINE,
    CallDesk,
    Leave,
    OpenLink,
    Order,
    Show,
    line,
    parse,
)


@pytest.mark.parametrize(
    "order",
    [
        Show(),
        CallDesk(),
        Leave(),
        OpenLink("sip:desk@example.com"),
        OpenLink('sip:"a b" -x@example.com'),
        OpenLink("tel:+44 20"),
        OpenLink(""),
        OpenLink("𝄞" * LONGEST_ADDRESS),
    ],
)
def test_what_is_sent_arrives(order: Order) -> None:
    sent = line(order)
    assert len(sent) <= LONGEST_LINE
    assert sent.count(b"\n") == 1
    assert sent.endswith(b"\n")
    assert (type(parse(sent)), parse(sent)) == (type(order), order)


@pytest.mark.parametrize(
    "address",
    ["sip:" + "a" * 65536, "sip:a\nleave", "sip:a\rb", "sip:\ud800", "\x00"],
)
def test_what_is_no_address_arrives_as_an_empty_one(address: str) -> None:
    assert parse(line(OpenLink(address))) == OpenLink("")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"show",
        b"show\nleave\n",
        b"show \n",
        b"SHOW\n",
        b"link\n",
        b"link \xff\n",
        b"quit\n",
        b" show\n",
        b"link " + b"a" * 65536 + b"\n",
    ],
)
def test_any_other_bytes_are_ignored(data: bytes) -> None:
    assert parse(data) is None


@given(st.binary(max_size=5000))
def test_no_bytes_break_it(data: bytes) -> None:
    order = parse(data)
    assert order is None or len(line(order)) <= LONGEST_LINE


@given(st.text())
def test_no_link_is_anything_but_a_link(address: str) -> None:
    assert isinstance(parse(line(OpenLink(address))), OpenLink)
