"""Who is shown as the caller, and what counts as a wish to be picked up."""

import pytest

from applet.phone.caller import shown_caller, wants_auto_answer
from applet.sip.message import Request
from applet.sip.uri import SipUri

FROM = '"Alice" <sip:alice@far.example>;tag=1'


def _invite(*headers: tuple[str, str], from_: str = FROM) -> Request:
    return Request("INVITE", SipUri.of("me", "here"), [("From", from_), *headers])


def _pai(value: str) -> tuple[str, str]:
    return ("P-Asserted-Identity", value)


def _rpid(value: str) -> tuple[str, str]:
    return ("Remote-Party-ID", value)


@pytest.mark.parametrize(
    ("headers", "display", "uri"),
    [
        ([_pai('"Bob" <sip:bob@pbx>')], "Bob", "sip:bob@pbx"),
        ([_pai("<tel:+1>, <sip:bob@pbx>")], "", "sip:bob@pbx"),
        ([_pai("<tel:+1>")], "", "tel:+1"),
        ([_pai("<tel:+1>"), _pai("sip:bob@pbx")], "", "sip:bob@pbx"),
        ([_pai("(("), _pai("<mailto:x@y>")], "Alice", "sip:alice@far.example"),
        ([_pai("<sip:bob@pbx>"), ("Privacy", "id")], "Alice", "sip:alice@far.example"),
        ([_pai("<sip:bob@pbx>"), ("Privacy", "none")], "", "sip:bob@pbx"),
        ([_pai("<sip:bob@pbx>"), ("Privacy", "critical; ID")], "Alice", "sip:alice@far.example"),
        ([_rpid('"Bob" <sip:bob@pbx>;party=calling;privacy=off')], "Bob", "sip:bob@pbx"),
        ([_rpid("<sip:bob@pbx>;screen=yes")], "", "sip:bob@pbx"),
        ([_rpid("<sip:bob@pbx>;party=called")], "Alice", "sip:alice@far.example"),
        ([_rpid("<sip:bob@pbx>;privacy=full")], "Alice", "sip:alice@far.example"),
        ([_rpid("(("), _rpid("<mailto:a@b>"), _rpid("<sip:bob@pbx>")], "", "sip:bob@pbx"),
        ([_pai("<sip:bob@pbx>"), _rpid("<sip:eve@pbx>")], "", "sip:bob@pbx"),
        ([], "Alice", "sip:alice@far.example"),
    ],
)
def test_a_trusted_server_s_word_counts_unless_the_caller_is_private(
    headers: list[tuple[str, str]], display: str, uri: str
) -> None:
    caller = shown_caller(_invite(*headers), trusted=True)
    assert (caller.display, str(caller.uri)) == (display, uri)
    stranger = shown_caller(_invite(*headers), trusted=False)
    assert (stranger.display, str(stranger.uri)) == ("Alice", "sip:alice@far.example")


def test_a_name_is_made_fit_to_be_shown() -> None:
    name = '"Bo\x07b ' + "\u202e" + "x" * 500 + '"'
    display = shown_caller(_invite(from_=f"{name} <sip:b@c>;tag=1"), trusted=False).display
    assert display.startswith("Bob xxx") and len(display) == 60 and display.isprintable()


@pytest.mark.parametrize(
    ("name", "value", "wish"),
    [
        ("Answer-Mode", "Auto", True),
        ("Answer-Mode", "auto;require", True),
        ("Answer-Mode", "Manual", False),
        ("Priv-Answer-Mode", "Auto", True),
        ("Call-Info", "<sip:x>;Answer-After=0", True),
        ("Call-Info", "<sip:x>;purpose=icon", False),
        ("Alert-Info", "<http://x>;info=alert-autoanswer", True),
        ("Alert-Info", "<http://x>;info=alert-autoanswer;delay=0", True),
        ("Alert-Info", "info=Auto Answer", True),
        ("Alert-Info", "Auto-Answer", True),
        ("Alert-Info", "<http://x/auto>", False),
        ("Alert-Info", "<urn:alert:source:internal>", False),
        ("Subject", "auto", False),
    ],
)
def test_a_wish_to_be_picked_up(name: str, value: str, wish: bool) -> None:
    assert wants_auto_answer(_invite((name, value))) is wish
