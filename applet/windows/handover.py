"""What a second start says to the phone that runs already: one bounded line, parsed as data.

A `sip:` address travels behind the word `link` and can become nothing else, whatever is in it.
"""

from __future__ import annotations

from applet.value import NamedTuple

LONGEST_ADDRESS = 1024  # characters
LONGEST_LINE = 4200  # bytes: the longest address in UTF-8, with its word


class Show(NamedTuple):
    """Come to the front."""


class CallDesk(NamedTuple):
    """As if the button had been pressed."""


class OpenLink(NamedTuple):
    """A `sip:` or `tel:` link was followed somewhere; empty stands for one that is none."""

    address: str


class Leave(NamedTuple):
    """End: the program is about to be replaced or removed."""


Order = Show | CallDesk | OpenLink | Leave

_WORDS: dict[str, Order] = {"show": Show(), "call": CallDesk(), "leave": Leave()}


def link(text: str) -> OpenLink:
    """`text` as somebody else's program gave it: what is too long or not printable is no link."""
    fits = len(text) <= LONGEST_ADDRESS and text.isprintable()
    return OpenLink(text.strip() if fits else "")


def line(order: Order) -> bytes:
    """At most LONGEST_LINE bytes, ending with the only line feed."""
    if isinstance(order, OpenLink):
        return f"link {link(order.address).address}\n".encode("utf-8", "replace")
    word = next(word for word, known in _WORDS.items() if type(known) is type(order))
    return f"{word}\n".encode()


def parse(data: bytes) -> Order | None:
    """None for anything that `line` does not make."""
    if len(data) > LONGEST_LINE or data.find(b"\n") != len(data) - 1:
        return None
    try:
        word, blank, address = data[:-1].decode("utf-8").partition(" ")
    except UnicodeDecodeError:
        return None
    if word == "link" and blank:
        return link(address)
    return None if blank else _WORDS.get(word)
