"""The IPv6 messages of RFC 5118: what a parser must find in them."""

import pytest

from applet.sdp.description import parse_sdp
from applet.sip.grammar import MessageError
from applet.sip.headers import Via
from applet.sip.message import Request, check_request
from applet.sip.parser import parse
from applet.sip.uri import SipUri
from tests.support.rfc5118 import CASES


def read(name: str) -> Request:
    message = parse(CASES[name].data)
    assert isinstance(message, Request)
    check_request(message)
    return message


def uri_of(request: Request) -> SipUri:
    assert isinstance(request.uri, SipUri)
    return request.uri


@pytest.mark.parametrize("name", [name for name in CASES if name != "ipv6-bad"])
def test_each_message_but_one_is_read_and_printed_as_the_same(name: str) -> None:
    request = read(name)
    assert parse(request.encode()) == request


def test_an_address_without_brackets_is_refused_with_400() -> None:
    with pytest.raises(MessageError) as caught:
        read("ipv6-bad")
    assert caught.value.status == 400
    assert caught.value.partial is not None and caught.value.partial.top_via.host == "2001:db8::9:1"


def test_a_reference_is_read_without_its_brackets_wherever_it_stands() -> None:
    request = read("ipv6-good")
    assert (uri_of(request).host, uri_of(request).port) == ("2001:db8::10", None)
    assert (request.top_via.host, request.top_via.port) == ("2001:db8::9:1", None)
    contact = request.contacts[0].uri
    assert isinstance(contact, SipUri) and contact.host == "2001:db8::1"
    assert str(contact) == "sip:caller@[2001:db8::1]"


def test_what_stands_in_the_brackets_is_address_and_what_behind_them_port() -> None:
    ambiguous, clear = uri_of(read("port-ambiguous")), uri_of(read("port-unambiguous"))
    assert (ambiguous.host, ambiguous.port) == ("2001:db8::10:5070", None)
    assert (clear.host, clear.port) == ("2001:db8::10", 5070)


@pytest.mark.parametrize("written", ["with", "without"])
def test_received_is_read_with_brackets_and_without(written: str) -> None:
    assert read(f"via-received-{written}-brackets").top_via.received == "2001:db8::9:255"


def test_ipv4_and_ipv6_stand_side_by_side_in_via() -> None:
    vias: tuple[Via, ...] = read("both-in-headers").vias
    hops = [(via.transport, via.host, via.port) for via in vias]
    assert hops == [
        ("UDP", "2001:db8::9:1", 6050),
        ("UDP", "192.0.2.1", None),
        ("TCP", "2001:db8::9:255", None),
    ]
    assert vias[2].received == "192.0.2.200"


def test_ipv6_in_a_session_description() -> None:
    description = parse_sdp(read("ipv6-in-sdp").body)
    assert description.origin.address == description.connection == "2001:db8::20"
    assert [(media.kind, media.port) for media in description.media] == [
        ("audio", 6000), ("video", 6024),
    ]  # fmt: skip


def test_each_stream_of_a_session_description_has_an_address_of_its_own() -> None:
    description = parse_sdp(read("both-in-sdp").body)
    assert description.connection is None
    assert [media.connection for media in description.media] == ["192.0.2.1", "2001:db8::1"]


def test_ipv4_mapped_addresses_are_addresses() -> None:
    request = read("ipv4-mapped")
    assert [via.host for via in request.vias] == ["::ffff:192.0.2.10", "::ffff:192.0.2.2"]
    assert request.top_via.port == 19823
    assert parse_sdp(request.body).connection == "::ffff:192.0.2.2"


@pytest.mark.parametrize("colons", ["three", "two"])
def test_a_colon_too_many_before_an_ipv4_part_means_nothing(colons: str) -> None:
    request = read(f"{colons}-colons")
    to = request.to.uri
    assert isinstance(to, SipUri)
    assert uri_of(request).host == to.host == "2001:db8::192.0.2.1"
