"""What is called, and what is never called on someone else's word."""

import pytest

from applet.phone.emergency import NUMBERS
from applet.phone.messages import Reason
from applet.phone.target import DialPolicy, RefusedError
from applet.sip.hop import Transport
from applet.sip.uri import SipUri, parse_uri


def _desk(text: str = "sip:support@example.com") -> SipUri:
    uri = parse_uri(text)
    assert isinstance(uri, SipUri)
    return uri


def _policy(
    desk: SipUri | None = None, *, others: bool = False, emergency: bool = False
) -> DialPolicy:
    return DialPolicy(desk, others, emergency, NUMBERS)


def _refusal(policy: DialPolicy, text: str, confirmed: bool = False) -> Reason:
    with pytest.raises(RefusedError) as caught:
        policy.target(text, confirmed)
    return caught.value.reason


def test_nothing_typed_means_the_desk() -> None:
    assert str(_policy(_desk()).target("", False)) == "sip:support@example.com"


def test_without_a_desk_there_is_nobody_to_call() -> None:
    assert _refusal(_policy(), " ") is Reason.BAD_ADDRESS
    assert _refusal(_policy(others=True), "100", True) is Reason.BAD_ADDRESS


@pytest.mark.parametrize(
    ("typed", "called"),
    [
        ("100", "sip:100@example.com"),
        ("+44 20 7946-0000", "sip:+442079460000@example.com"),
        ("tel:+442079460000", "sip:+442079460000@example.com"),
        ("tel:+442079460000;phone-context=x", "sip:+442079460000@example.com"),
        ("*98", "sip:*98@example.com"),
        ("#5", "sip:%235@example.com"),
        ("sales@example.com", "sip:sales@example.com"),
        ("SIP:sales@EXAMPLE.com", "sip:sales@EXAMPLE.com"),
        ("sips:sales@example.com:5071", "sips:sales@example.com:5071"),
        ("sales@example.com:5070", "sip:sales@example.com:5070"),
    ],
)
def test_addresses_in_the_desks_domain_are_called(typed: str, called: str) -> None:
    assert str(_policy(_desk()).target(typed, False)) == called


TLS_DESK, SIPS_DESK = "sip:support@example.com;transport=tls", "sips:support@example.com"


@pytest.mark.parametrize(
    ("desk", "typed", "called"),
    [
        (TLS_DESK, "100", "sip:100@example.com;transport=tls"),
        (TLS_DESK, "sip:sales@example.com", "sip:sales@example.com;transport=tls"),
        (TLS_DESK, "sip:sales@example.com;transport=TLS", "sip:sales@example.com;transport=TLS"),
        (TLS_DESK, "sips:sales@example.com", "sips:sales@example.com"),
        (SIPS_DESK, "sales@example.com", "sips:sales@example.com"),
        ("sip:support@example.com;maddr=192.0.2.9", "7", "sip:7@example.com;maddr=192.0.2.9"),
        ("sip:support@example.com;maddr=192.0.2.9", "a@example.com", "sip:a@example.com"),
    ],
)
def test_addresses_in_the_desks_domain_are_called_as_safely_as_the_desk(
    desk: str, typed: str, called: str
) -> None:
    assert str(_policy(_desk(desk)).target(typed, False)) == called


@pytest.mark.parametrize(
    ("desk", "target"),
    [
        ("sip:support@example.com", "sip:support@example.com;maddr=198.51.100.66"),
        ("sip:support@example.com", "sip:support@example.com;MADDR=198.51.100.66"),
        ("sip:support@example.com", "sip:support@example.com;maddr;maddr=198.51.100.66"),
        ("sip:support@example.com;maddr=192.0.2.9", "sip:a@example.com;maddr=198.51.100.66"),
        (SIPS_DESK, "sip:support@example.com"),
        (SIPS_DESK, "sip:support@example.com;transport=tls"),
        (TLS_DESK, "sip:support@example.com;transport=udp"),
        (TLS_DESK, "sip:support@example.com;transport"),
    ],
)
def test_what_leads_past_the_desk_or_to_an_open_line_is_not_the_desk_s(
    desk: str, target: str
) -> None:
    assert _refusal(_policy(_desk(desk)), target) is Reason.OTHER_ADDRESS_NOT_ALLOWED
    asked = _policy(_desk(desk), others=True).referred(target, ("example.com",))
    assert asked == (parse_uri(target), True), "what is shown is what is called"


def test_where_tls_is_the_rule_another_transport_is_not_taken_on_someone_s_word() -> None:
    policy = DialPolicy(_desk(), False, False, NUMBERS, Transport.TLS)
    assert str(policy.target("sip:a@example.com", False)) == "sip:a@example.com"
    refused = _refusal(policy, "sip:a@example.com;transport=tcp")
    assert refused is Reason.OTHER_ADDRESS_NOT_ALLOWED


def test_headers_body_and_password_inside_a_uri_are_dropped() -> None:
    typed = "sip:sales:secret@example.com?Replaces=x&body=y"
    assert str(_policy(_desk()).target(typed, False)) == "sip:sales@example.com"


@pytest.mark.parametrize("typed", ["sip:", "sip:@", "mailto:a@b", "a@b c", "sip:a@b@c d", "tel:x"])
def test_what_is_no_address_is_said_to_be_none(typed: str) -> None:
    assert _refusal(_policy(_desk(), others=True), typed, True) is Reason.BAD_ADDRESS


def test_another_domain_is_called_only_if_the_brand_allows_it_and_the_person_confirmed() -> None:
    typed = "sip:mallory@elsewhere.example"
    other = Reason.OTHER_ADDRESS_NOT_ALLOWED
    assert _refusal(_policy(_desk()), typed, True) is other
    assert _refusal(_policy(_desk(), others=True), typed, False) is other
    assert str(_policy(_desk(), others=True).target(typed, True)) == typed


@pytest.mark.parametrize(
    "typed", ["112", "tel:911", "sip:999@example.com", "0112", "110@other.example"]
)
def test_emergency_numbers_are_not_sent(typed: str) -> None:
    assert _refusal(_policy(_desk(), others=True), typed, True) is Reason.EMERGENCY_NOT_SENT
    assert _refusal(_policy(others=True), "112", True) is Reason.EMERGENCY_NOT_SENT


def test_only_the_brand_lets_emergency_numbers_be_sent() -> None:
    allowed = _policy(_desk(), emergency=True)
    assert str(allowed.target("112", False)) == "sip:112@example.com"
    assert _refusal(_policy(emergency=True), "112") is Reason.BAD_ADDRESS


@pytest.mark.parametrize(
    ("desk", "others", "target", "question"),
    [
        (True, False, "sip:sales@example.com", False),
        (True, True, "sip:sales@EXAMPLE.com", False),
        (True, True, "sip:eve@peer.example", True),
        (False, True, "sip:eve@peer.example", False),
        (False, True, "sip:eve@PEER.example:5070", False),
        (False, True, "sip:eve@elsewhere.example", True),
        (False, True, "sip:eve@peer.example;maddr=198.51.100.66", True),
    ],
)
def test_who_is_called_because_the_other_side_asks_for_it(
    desk: bool, others: bool, target: str, question: bool
) -> None:
    policy = _policy(_desk() if desk else None, others=others)
    assert policy.referred(target, ("peer.example",)) == (parse_uri(target), question)


@pytest.mark.parametrize(
    ("desk", "target", "reason"),
    [
        (True, "sip:eve@peer.example", Reason.OTHER_ADDRESS_NOT_ALLOWED),
        (False, "sip:eve@peer.example", Reason.OTHER_ADDRESS_NOT_ALLOWED),
        (True, "sip:112@example.com", Reason.EMERGENCY_NOT_SENT),
        (True, "mailto:eve@example.com", Reason.BAD_ADDRESS),
    ],
)
def test_who_is_not_called_because_the_other_side_asks_for_it(
    desk: bool, target: str, reason: Reason
) -> None:
    with pytest.raises(RefusedError) as caught:
        _policy(_desk() if desk else None).referred(target, ("peer.example",))
    assert caught.value.reason is reason
