"""Header values with a structure: RFC 3261 section 20."""

import pytest

from applet.sip.grammar import (
    MessageError,
    clamped,
    number,
    quoted,
    split_list,
    unquoted,
)
from applet.sip.headers import (
    ANY_CONTACT,
    CSeq,
    NameAddr,
    Via,
    canonical_name,
    check_name,
    parse_contact,
    readable_via,
    tag_in,
)
from applet.sip.uri import OtherUri, SipUri, parse_uri


def test_compact_and_oddly_written_names_become_the_usual_ones() -> None:
    assert [canonical_name(name) for name in ("v", "V", "vIa", "call-id", "cseq", "x-Mine")] == (
        ["Via", "Via", "Via", "Call-ID", "CSeq", "x-Mine"]
    )


def test_a_name_is_a_token_with_spaces_behind_it_at_most() -> None:
    assert check_name("V  \t") == "Via"
    assert check_name("C%6Fntact") == "C%6Fntact"
    for name in ("", " ", " Via", "Vi a", "Vïa", "Via\0"):
        with pytest.raises(MessageError):
            check_name(name)


# Via


def test_via_gives_its_parts() -> None:
    via = Via.parse("SIP/2.0/udp 192.0.2.1:5070;branch=z9hG4bK1;received=192.0.2.9;rport=6000;x")
    assert via[:3] == ("UDP", "192.0.2.1", 5070)
    assert (via.branch, via.received, via.rport) == ("z9hG4bK1", "192.0.2.9", 6000)
    assert via.has_param("x")
    assert via.param("x") is None
    assert via.param("branch") == "z9hG4bK1"


def test_via_without_parameters_has_none() -> None:
    via = Via.parse("SIP/2.0/TCP sip33.example.com")
    assert via == Via("TCP", "sip33.example.com", None)
    assert (via.branch, via.received, via.rport) == ("", None, None)


def test_via_may_be_full_of_spaces() -> None:
    assert Via.parse("SIP  / 2.0  / TCP     spindle.example.com : 5060  ;  branch  =   z9") == (
        Via("TCP", "spindle.example.com", 5060, (("branch", "z9"),))
    )


def test_via_with_ipv6_prints_its_brackets_again() -> None:
    text = "SIP/2.0/TLS [2001:db8::9:1]:5061;branch=z9hG4bK87a;received=2001:db8::9:255"
    via = Via.parse(text)
    assert via.host == "2001:db8::9:1"
    assert via.received == "2001:db8::9:255"
    assert Via.parse("SIP/2.0/UDP h;received=[::1]").received == "::1"
    assert str(via) == text


def test_the_server_fills_in_received_and_rport() -> None:
    via = Via.parse("SIP/2.0/UDP 10.1.1.1:4540;RPORT;branch=z9hG4bKkjshdyff")
    assert via.has_param("rport")
    assert via.rport is None
    filled = via.with_param("rport", "9988").with_param("received", "192.0.2.1")
    assert str(filled) == (
        "SIP/2.0/UDP 10.1.1.1:4540;RPORT=9988;branch=z9hG4bKkjshdyff;received=192.0.2.1"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0 192.0.2.1",
        "SIP/2.0/UDP 192.0.2.15;;,;,,",
        "SIP/2.0/UDP h;branch=",
        "SIP/2.0/UDP h:99999",
        "SIP/2.0/UDP h:999999",
        "SIP/2.0/UDP 2001:db8::1",
        "SIP/2.0/UDP two hosts",
    ],
)
def test_a_broken_via_is_refused(text: str) -> None:
    with pytest.raises(MessageError):
        Via.parse(text)


def test_an_rport_that_is_no_port_counts_as_none() -> None:
    for value in ("70000", "x", "9" * 5000):
        assert Via.parse(f"SIP/2.0/UDP h;rport={value}").rport is None
    assert Via.parse("SIP/2.0/UDP h;rport=65535").rport == 65_535


def test_the_readable_beginning_of_a_broken_via_is_kept() -> None:
    assert readable_via("SIP/2.0/UDP h:5060;rport;branch=z;;x") == (
        "SIP/2.0/UDP h:5060;rport;branch=z"
    )
    assert readable_via("SIP/2.0/UDP h:70000;branch=z") == "SIP/2.0/UDP h"
    assert readable_via("SIP/2.0/UDP ;branch=z") is None


# From, To, Contact, Route


@pytest.mark.parametrize(
    ("text", "display", "uri", "tag"),
    [
        ('"Alice" <sip:alice@a.com>;tag=1', "Alice", "sip:alice@a.com", "1"),
        ("<sip:alice@a.com>", "", "sip:alice@a.com", None),
        ("sip:alice@a.com;tag=1", "", "sip:alice@a.com", "1"),
        ("caller<sip:caller@example.com>;tag=323", "caller", "sip:caller@example.com", "323"),
        (
            'A. Bell   <sip:a.g.bell@example.com>  ;  TAG  =  x ; y = "q,;"',
            "A. Bell",
            "sip:a.g.bell@example.com",
            "x",
        ),
        ('"J \\\\\\"<x>;," <sip:j@e.com>;tag=9', 'J \\"<x>;,', "sip:j@e.com", "9"),
        ('""<sip:j@e.com>', "", "sip:j@e.com", None),
        ("Jürgen Groß <sip:j@e.com>", "Jürgen Groß", "sip:j@e.com", None),
        ("<sip:a@b;tag=no?h=1>", "", "sip:a@b;tag=no?h=1", None),
        ("tel:+123;tag=4", "", "tel:+123", "4"),
        ("<http://www.example.com>;tag=3", "", "http://www.example.com", "3"),
        ("sip:me@a.com <sip:me@a.com>", "sip:me@a.com", "sip:me@a.com", None),
    ],
)
def test_an_address_is_read(text: str, display: str, uri: str, tag: str | None) -> None:
    found = NameAddr.parse(text)
    assert (found.display, str(found.uri), found.tag) == (display, uri, tag)
    assert NameAddr.parse(str(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        '"Mr. J. User <sip:j.user@example.com>',
        "Bell, Alexander <sip:a.g.bell@example.com>;tag=43",
        '"Watson" < sip:t.watson@example.org >',
        '"Joe" <sip:joe@example.org>;;;;',
        "sip:user@example.com?Route=%3Csip:sip.example.com%3E",
        "<sip:a@b",
        "sip:a@b>",
        "<>",
        "<sip:a@>",
        "<sip:a@b:70000>",
        "<sip:a@b>;tag=",
        "<sip:a@b> x",
        '"a" "b" <sip:a@b>',
    ],
)
def test_a_broken_address_is_refused(text: str) -> None:
    with pytest.raises(MessageError):
        NameAddr.parse(text)


def test_contact_parameters_are_not_uri_parameters() -> None:
    outside = NameAddr.parse("sip:+19725552222@gw1.example.net;unknownparam")
    assert outside.has_param("unknownparam")
    assert outside.param("unknownparam") is None
    assert outside.uri == parse_uri("sip:+19725552222@gw1.example.net")
    inside = NameAddr.parse("<sip:+19725552222@gw1.example.net;unknownparam>")
    assert not inside.has_param("unknownparam")
    assert isinstance(inside.uri, SipUri)
    assert inside.uri.has_param("unknownparam")


def test_a_tag_is_added_or_replaced() -> None:
    plain = NameAddr("Bob", SipUri.of("bob", "b.com"))
    assert str(plain.with_tag("1")) == '"Bob" <sip:bob@b.com>;tag=1'
    assert plain.with_tag("1").with_tag("2").tag == "2"


def test_a_display_name_of_ours_can_hold_anything() -> None:
    address = NameAddr('A "B" \\ C\r\nD', SipUri.of("a", "b"))
    assert NameAddr.parse(str(address)).display == 'A "B" \\ C  D'


def test_contact_may_be_a_star() -> None:
    assert parse_contact("*") is ANY_CONTACT
    assert str(ANY_CONTACT) == "*"
    assert parse_contact("<tel:1>") == NameAddr("", OtherUri("tel", "1"))


def test_the_tag_of_a_broken_to_is_found() -> None:
    assert tag_in('"Mr. J. User <sip:j@example.com> ; TAG = abc') == "abc"
    assert tag_in('"Mr. J. User <sip:j@example.com>') is None


# CSeq and numbers


def test_cseq_is_a_number_and_a_method() -> None:
    assert CSeq.parse("0009 \t INVITE") == CSeq(9, "INVITE")
    assert CSeq.parse("4294967295 a%+") == CSeq(2**32 - 1, "a%+")
    assert str(CSeq(1, "ACK")) == "1 ACK"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "INVITE",
        "1INVITE",
        "-1 INVITE",
        "4294967296 INVITE",
        "1 IN VITE",
        "9" * 5000 + " A",
    ],
)
def test_a_broken_cseq_is_refused(text: str) -> None:
    with pytest.raises(MessageError):
        CSeq.parse(text)


def test_a_number_is_plain_ascii_digits_within_its_range() -> None:
    assert number("0070", 255, "x") == 70
    for text in ("", " 1", "+1", "1e3", "٣", "²", "256", "0" * 21, "9" * 5000):
        with pytest.raises(MessageError, match="x is not a number from 0 to 255"):
            number(text, 255, "x")


def test_a_number_that_does_not_matter_is_clamped() -> None:
    assert [clamped(text, 255) for text in (" 7 ", "300", "9" * 5000, "x", "", "-1")] == (
        [7, 255, 255, None, None, None]
    )


# Lists and quotes


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", []),
        ("a", ["a"]),
        ("a,b , c", ["a", "b", "c"]),
        (" , a,,", ["a"]),
        ('"x,y" <sip:a,b@c>;p="q,\\"", <sip:d>', ['"x,y" <sip:a,b@c>;p="q,\\""', "<sip:d>"]),
        ('a, "open, b', ["a", '"open, b']),
        ('a, "open\\', ["a", '"open\\']),
        ("a, <open, b", ["a", "<open, b"]),
    ],
)
def test_a_list_is_split_outside_quotes_and_brackets(text: str, values: list[str]) -> None:
    assert split_list(text) == values


def test_quoting_and_unquoting_are_inverse() -> None:
    for text in ("", "plain", 'with "quotes"', "back\\slash", "ümläut", '\\"'):
        assert unquoted(quoted(text)) == text
    assert unquoted("not quoted") == "not quoted"
    assert unquoted('"') == '"'
