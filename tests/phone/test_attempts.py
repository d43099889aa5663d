"""Which address of a 3xx may be tried."""

import pytest

from applet.phone.attempts import Attempts
from applet.phone.target import DialPolicy
from applet.sip.events import EndedBy, SessionEnded
from applet.sip.invite import InviteSession
from applet.sip.message import Response
from applet.sip.uri import SipUri, parse_uri


def uri(text: str) -> SipUri:
    parsed = parse_uri(text)
    assert isinstance(parsed, SipUri)
    return parsed


def attempts(target: str, others: bool = False) -> Attempts:
    def place(to: SipUri, offer: bytes, now: float) -> InviteSession:
        raise AssertionError("nothing is sent here")

    policy = DialPolicy(uri("sip:desk@company.example"), others, False, ())
    return Attempts(uri(target), policy, place)


def ended(status: int, *contacts: str, by: EndedBy = EndedBy.REMOTE) -> SessionEnded:
    response = Response(status, "Because", [("Contact", contact) for contact in contacts])
    return SessionEnded(None, by, status, "Because", response)  # type: ignore[arg-type]


def test_a_secure_call_is_not_led_to_an_open_line() -> None:
    secure = attempts("sips:desk@company.example")
    assert not secure.next_target(ended(302, "<sip:a@company.example>"))
    assert secure.next_target(ended(302, "<sips:a@company.example>"))
    assert secure.target == uri("sips:a@company.example")


@pytest.mark.parametrize(
    ("target", "contact"),
    [
        ("sip:desk@company.example", "sip:a@company.example;maddr=198.51.100.66"),
        ("sip:eve@other.example", "sip:eve@other.example;maddr=198.51.100.66"),
        ("sip:eve@other.example;transport=tls", "sip:eve@other.example;transport=udp"),
    ],
)
def test_a_host_that_was_dialled_leads_nowhere_else_and_to_no_open_line_unasked(
    target: str, contact: str
) -> None:
    call = attempts(target, others=True)
    assert not call.next_target(ended(302, f"<{contact}>"))
    assert call.ask == uri(contact)


@pytest.mark.parametrize("by", [EndedBy.TIMEOUT, EndedBy.TRANSPORT, EndedBy.LOOKUP])
def test_an_address_that_cannot_be_reached_is_followed_by_the_next(by: EndedBy) -> None:
    call = attempts("sip:desk@company.example")
    assert call.next_target(ended(302, "<sip:a@company.example>, <sip:b@company.example>"))
    assert call.next_target(ended(0, by=by))
    assert call.target == uri("sip:b@company.example")


@pytest.mark.parametrize("by", [EndedBy.LOCAL, EndedBy.NO_ANSWER])
def test_who_was_rung_long_enough_is_not_rung_elsewhere(by: EndedBy) -> None:
    call = attempts("sip:desk@company.example")
    assert call.next_target(ended(302, "<sip:a@company.example>, <sip:b@company.example>"))
    assert not call.next_target(ended(408, by=by))


def test_only_a_refusal_asks_for_a_plainer_offer_and_only_once() -> None:
    call = attempts("sip:desk@company.example")
    assert not call.wants_plainer(ended(488, by=EndedBy.LOCAL))
    assert not call.wants_plainer(ended(486))
    assert call.wants_plainer(ended(606))
    assert not call.wants_plainer(ended(606))
