"""URIs: RFC 3261 section 19.1."""

import pytest

from applet.sip.grammar import MessageError
from applet.sip.uri import OtherUri, SipUri, Uri, escaped_user, parse_uri


def sip(text: str) -> SipUri:
    uri = parse_uri(text)
    assert isinstance(uri, SipUri)
    return uri


def test_every_part_of_a_uri_is_found() -> None:
    assert parse_uri("sips:al%20ice:secret@example.com:5061;transport=tcp;lr?Subject=hi&a=b") == (
        SipUri(
            "sips",
            "al%20ice",
            "secret",
            "example.com",
            5061,
            (("transport", "tcp"), ("lr", None)),
            "Subject=hi&a=b",
        )
    )


@pytest.mark.parametrize(
    "text",
    [
        "sip:alice@example.com",
        "sip:example.com",
        "sips:alice:pw@example.com:5061",
        "sip:alice:@example.com",
        "sip:alice@[2001:db8::10]:5070;transport=udp",
        "sip:[::1]",
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&pas$wo~d@example.com",
        "sip:user;par=u%40example.net@example.com",
        "sip:a@b;lr;name=;x=%41?h=1",
        "sip:*72#9@host_with_underscore",
        "sip:ä@example.com",
        "tel:+1-201-555-0123;phone-context=example.com",
        "soap.beep://192.0.2.103:3002",
        "nobodyKnowsThisScheme:totallyopaquecontent".lower(),
    ],
)
def test_a_uri_prints_as_it_was_read(text: str) -> None:
    assert str(parse_uri(text)) == text


def test_scheme_is_read_in_any_case() -> None:
    assert str(parse_uri("SIP:Alice@Example.com")) == "sip:Alice@Example.com"
    assert parse_uri("TEL:112") == OtherUri("tel", "112")


def test_ipv6_stands_without_brackets() -> None:
    assert sip("sip:a@[2001:db8::1]:5060")[3:5] == ("2001:db8::1", 5060)


def test_escapes_are_resolved_once_and_only_on_demand() -> None:
    assert sip("sip:sips%3Auser%40example.com@example.net").user_unescaped == (
        "sips:user@example.com"
    )
    assert sip("sip:null-%00-null@h").user_unescaped == "null-\0-null"
    assert sip("sip:%zz%4@h").user_unescaped == "%zz%4"
    assert sip("sip:%C3%A4%FF@h").user_unescaped == "ä\N{REPLACEMENT CHARACTER}"


def test_names_and_values_of_parameters_may_be_escaped() -> None:
    uri = sip("sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31;Transport=TCP")
    assert uri.has_param("lr")
    assert uri.param("lr") is None
    assert uri.param("name") == "value%41"
    assert uri.param("transport") == "TCP"
    assert uri.param("maddr") is None
    assert not uri.has_param("maddr")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip:",
        "sip:@example.com",
        "sip:a@b@c",
        "sip:a b@example.com",
        "sip:a@example.com;",
        "sip:a@example.com;;lr",
        "sip:a@example.com;=x",
        "sip:a@[::1",
        "sip:a@exa mple.com",
        "sip:a@example.com:port",
        "sip:a@example.com:65536",
        "sip:a@example.com:123456",
        "<sip:a@example.com>",
        'sip:"a"@example.com',
        "example.com",
        "1tel:5",
        "tel:",
        "tel:1 2",
    ],
)
def test_what_is_no_uri_is_refused_with_400(text: str) -> None:
    with pytest.raises(MessageError) as caught:
        parse_uri(text)
    assert caught.value.status == 400


def test_a_request_uri_keeps_no_headers_and_no_method() -> None:
    uri = sip("sip:a@b;method=BYE;transport=tcp?Route=%3Csip:evil%3E")
    assert str(uri.address_only()) == "sip:a@b;transport=tcp"


def test_our_own_uris_escape_what_they_must() -> None:
    assert str(SipUri.of("a b@c", "example.com", 5060, transport="tcp", lr=None)) == (
        "sip:a%20b%40c@example.com:5060;transport=tcp;lr"
    )
    assert escaped_user("ä:%") == "%C3%A4%3A%25"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("sip:a:%70w@h", "sip:a:pw@h"),
        ("sip:a%3bb@h", "sip:a%3Bb@h"),
    ],
)
def test_equivalent_uris_match_as_in_rfc_3261_section_19_1_4(one: str, other: str) -> None:
    assert sip(one).matches(parse_uri(other))
    assert sip(other).matches(parse_uri(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@h", "sips:a@h"),
        ("sip:a@h", "sip:a:@h"),
        ("sip:a%3Bb@h", "sip:a;b@h"),
        ("sip:a@h;x", "sip:a@h;x=1"),
    ],
)
def test_different_uris_do_not_match(one: str, other: str) -> None:
    assert not sip(one).matches(parse_uri(other))
    assert not sip(other).matches(parse_uri(one))


def test_a_sip_uri_never_matches_another_scheme() -> None:
    other: Uri = OtherUri("tel", "112")
    assert not sip("sip:112@h").matches(other)
