"""Session descriptions: parse, each field, print."""

import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applet.sdp.description import (
    MAX_BYTES,
    MAX_MEDIA,
    Attribute,
    Codec,
    Direction,
    Media,
    Origin,
    SdpError,
    SessionDescription,
    as_sockets_write,
    is_ip_literal,
    is_unspecified,
    parse_sdp,
    whole_number,
)

GOLDEN = Path(__file__).parent.parent / "data" / "sdp"

HEAD = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"


def audio(*lines: str) -> Media:
    return parse_sdp(HEAD + "\r\n".join(lines).encode()).media[0]


# --- golden files ---------------------------------------------------------------------------


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.sdp")), ids=lambda file: file.stem)
def test_a_golden_description_prints_as_it_was_read(file: Path) -> None:
    data = file.read_bytes()
    assert parse_sdp(data).encode() == data


def test_every_field_of_an_ordinary_offer_is_read() -> None:
    description = parse_sdp((GOLDEN / "our_offer.sdp").read_bytes())
    assert description.origin == Origin("-", "4711", "1", "192.0.2.10")
    assert description.connection == "192.0.2.10"
    (media,) = description.media
    assert (media.kind, media.port, media.protocol) == ("audio", 30000, "RTP/AVP")
    assert media.formats == ("0", "8", "13", "101")
    assert media.connection == "192.0.2.10"
    assert media.number("ptime") == 20
    assert description.direction(media) is Direction.SENDRECV
    assert media.codecs() == (
        Codec("PCMU", 0),
        Codec("PCMA", 8),
        Codec("CN", 13),
        Codec("telephone-event", 101, fmtp="0-15"),
    )


def test_a_medium_has_its_own_address_and_direction_or_the_sessions() -> None:
    description = parse_sdp((GOLDEN / "ipv6_with_rtcp.sdp").read_bytes())
    assert description.media[0].connection == "2001:db8::7"
    assert description.media[0].direction is None
    assert description.direction(description.media[0]) is Direction.INACTIVE
    description = parse_sdp((GOLDEN / "media_level_connection.sdp").read_bytes())
    assert description.connection is None
    assert [media.connection for media in description.media] == [None, "198.51.100.3"]
    assert description.direction(description.media[1]) is Direction.SENDONLY
    assert description.direction(description.media[0]) is Direction.SENDRECV


def test_a_dynamic_format_keeps_rate_channels_and_parameters() -> None:
    description = parse_sdp((GOLDEN / "media_level_connection.sdp").read_bytes())
    assert description.media[1].codecs() == (
        Codec("opus", 97, 48000, 2, "useinbandfec=1"),
        Codec("PCMU", 0),
    )


# --- what is forgiven -----------------------------------------------------------------------


def test_unknown_lines_and_attributes_are_passed_over() -> None:
    body = (
        b"v=0\nx=?\no=- 1 1 IN IP4 a.example\nthis is no line\ns=\nb=AS:64\nz=0 0\n\n"
        b"a=ice-lite\na=group:BUNDLE 0\nm=audio 4 RTP/AVP 0\nk=clear:x\na=candidate:1 1 UDP\na=\n"
    )
    description = parse_sdp(body)
    assert description.origin.address == "a.example"
    assert description.attributes == (
        Attribute("ice-lite"),
        Attribute("group", "BUNDLE 0"),
    )
    assert description.media[0].codecs() == (Codec("PCMU", 0),)


def test_a_first_line_that_looks_like_another_stays_what_it_is() -> None:
    media = audio("m=a=x 4 RTP/AVP 0")
    assert (media.kind, media.attributes) == ("a=x", ())


def test_lines_may_end_in_lf_and_text_may_be_no_utf_8() -> None:
    body = HEAD.replace(b"\r\n", b"\n").replace(b"s=-", b"s=\xff\xfe") + b"m=audio 4 RTP/AVP 0\n"
    assert parse_sdp(body).media[0].port == 4


def test_a_port_count_and_a_ttl_are_left_out() -> None:
    media = audio("m=audio 4000/2 RTP/AVP 0", "c=IN IP4 224.2.1.1/127/3")
    assert (media.port, media.connection) == (4000, "224.2.1.1")


def test_static_payload_types_need_no_rtpmap() -> None:
    assert audio("m=audio 4 RTP/AVP 0 3 8 9 13 18").codecs() == (
        Codec("PCMU", 0),
        Codec("GSM", 3),
        Codec("PCMA", 8),
        Codec("G722", 9),
        Codec("CN", 13),
        Codec("G729", 18),
    )


def test_a_number_without_meaning_is_left_out() -> None:
    media = audio("m=audio 4 RTP/AVP 0 96 t38 128 ² 0 97", "a=rtpmap:97 opus/48000/2")
    assert media.codecs() == (Codec("PCMU", 0), Codec("opus", 97, 48000, 2))


def test_a_number_without_rtpmap_may_be_known_from_before() -> None:
    known = (Codec("telephone-event", 101, fmtp="0-15"),)
    assert audio("m=audio 4 RTP/AVP 101").codecs(known) == known
    mapped = audio("m=audio 4 RTP/AVP 101", "a=rtpmap:101 PCMA/8000").codecs(known)
    assert mapped == (Codec("PCMA", 101),)


@pytest.mark.parametrize(
    "line",
    [
        "a=rtpmap",
        "a=rtpmap:",
        "a=rtpmap:96",
        "a=rtpmap:96 opus",
        "a=rtpmap:x opus/48000",
        "a=rtpmap:300 opus/48000",
        "a=rtpmap:96 opus/0",
        "a=rtpmap:96 opus/fast",
        "a=rtpmap:96 opus/48000/0",
        "a=rtpmap:96 opus/48000/2/2",
        "a=rtpmap:96 /48000",
        "a=fmtp:x 0-15",
        "a=fmtp",
    ],
)
def test_a_broken_mapping_maps_nothing(line: str) -> None:
    assert audio("m=audio 4 RTP/AVP 0 96", line).codecs() == (Codec("PCMU", 0),)


def test_names_of_formats_are_compared_without_case() -> None:
    assert Codec("pcmu", 97).same_format(Codec("PCMU", 0))
    assert not Codec("PCMU", 0, 16000).same_format(Codec("PCMU", 0))
    assert not Codec("PCMU", 0, channels=2).same_format(Codec("PCMU", 0))
    assert not Codec("PCMA", 0).same_format(Codec("PCMU", 0))


def test_an_attribute_is_asked_for_by_name() -> None:
    media = audio("m=audio 4 RTP/AVP 0", "a=ptime", "a=ptime:30", "a=ptime:40", "a=maxptime:x")
    assert media.value("ptime") == "30"
    assert media.number("ptime") == 30
    assert media.number("maxptime") is None
    assert media.number("rtcp") is None


# --- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "does not begin with v=0"),
        (b"v=1\r\n", "does not begin with v=0"),
        (b"hello", "does not begin with v=0"),
        (b"v=0\r\ns=-\r\n", "o= line is missing"),
        (b"v=0\r\nm=audio 4 RTP/AVP 0\r\no=- 1 1 IN IP4 1.2.3.4\r\n", "o= line is missing"),
        (b"v=0\r\no=- 1 1 IN IP4\r\n", "o= line has 5 words"),
        (HEAD + b"m=audio 4\r\n", "m= line has 2 words"),
        (HEAD + b"m=audio x RTP/AVP 0\r\n", "port of an m= line"),
        (HEAD + b"m=audio 65536 RTP/AVP 0\r\n", "port of an m= line"),
        (HEAD + b"m=audio -1 RTP/AVP 0\r\n", "port of an m= line"),
        (HEAD + b"m=" + b"a" * 65 + b" 4 RTP/AVP 0\r\n", "longer than 64"),
        (HEAD + b"m=audio 4 RTP/AVP 0\r\nc=IN IP4\r\n", "c= line is not"),
        (HEAD + b"m=audio 4 RTP/AVP 0\r\nc=ATM NSAP 1\r\n", "c= line is not"),
        (HEAD + b"m=audio 4 RTP/AVP 0\r\nc=IN IP4 phone.example\r\n", "names no IP address"),
        (HEAD + b"m=audio 4 RTP/AVP 0\r\n" * (MAX_MEDIA + 1), "65 media are more than 64"),
        (HEAD + b"a=x\r\n" * MAX_BYTES, "is too long"),
    ],
)
def test_a_broken_description_has_one_precise_error(body: bytes, text: str) -> None:
    with pytest.raises(SdpError, match=text):
        parse_sdp(body)


@given(st.binary(max_size=300))
def test_any_bytes_raise_nothing_but_sdp_error(data: bytes) -> None:
    for body in (data, HEAD + data, HEAD + b"m=audio 4 RTP/AVP 0 96\r\n" + data):
        try:
            description = parse_sdp(body)
        except SdpError:
            continue
        for media in description.media:
            media.codecs()
            description.direction(media)


LINES = st.lists(
    st.one_of(
        st.builds(
            "{}={}".format, st.sampled_from("abcmo"), st.text("IN IP4:/0189.axRTPV", max_size=30)
        ),
        st.sampled_from(
            [
                "m=audio 4 RTP/AVP 0 8 97",
                "m=video 0 RTP/AVP 31",
                "c=IN IP6 ::1",
                "a=rtpmap:97 L16/44100/2",
                "a=sendonly",
                "a=fmtp:97 x",
            ]
        ),
    ),
    max_size=12,
)


@given(LINES)
def test_what_was_read_prints_to_what_reads_the_same(lines: list[str]) -> None:
    try:
        description = parse_sdp(HEAD + "\r\n".join(lines).encode())
    except SdpError:
        return
    printed = description.encode()
    assert parse_sdp(printed) == description
    assert parse_sdp(printed).encode() == printed


# --- printing -------------------------------------------------------------------------------


def test_a_medium_prints_its_address_only_where_it_differs_from_the_sessions() -> None:
    origin = Origin("-", "1", "2", "192.0.2.1")
    same = Media("audio", 4, "RTP/AVP", ("0",), "192.0.2.1")
    other = Media("audio", 4, "RTP/AVP", ("0",), "2001:db8::1")
    lines = SessionDescription(origin, "192.0.2.1", (), (same, other)).encode().split(b"\r\n")
    assert [line for line in lines if line.startswith(b"c=")] == [
        b"c=IN IP4 192.0.2.1",
        b"c=IN IP6 2001:db8::1",
    ]


# --- small words ----------------------------------------------------------------------------


def test_a_direction_can_be_turned_round_and_narrowed() -> None:
    both, out, in_, none = Direction
    assert [d.reversed() for d in Direction] == [both, in_, out, none]
    assert both & out is out
    assert both & both is both
    assert out & in_ is none
    assert in_ & both is in_


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",
        "255.255.255.255",
        "127.0.0.1",
        "::",
        "::1",
        "1::",
        "fe80::1:2",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::",
        "::ffff:192.0.2.1",
        "1:2:3:4:5:6:192.0.2.1",
        "ABCD:ef01::",
    ],
)
def test_an_ip_address_is_known(text: str) -> None:
    assert is_ip_literal(text)
    assert is_ip_literal(as_sockets_write(text))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0:0:1:0:0:01", "2001:db8::1:0:0:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ],
)
def test_an_ip_address_is_written_in_one_way(text: str, written: str) -> None:
    assert as_sockets_write(text) == written
    if ":" in text:
        packed = socket.inet_pton(socket.AF_INET6, text)
        assert socket.inet_ntop(socket.AF_INET6, packed) == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.2.3.x",
        "01.2.3.4",
        "phone.example",
        "[::1]",
        "fe80::1%eth0",
        ":",
        ":::",
        ":1",
        "1:",
        "1::2::3",
        "12345::",
        "g::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "1.2.3.4::",
        "::1.2.3",
        "1:2:3:4:5:6:7:192.0.2.1",
        "::²",
    ],
)
def test_what_is_no_ip_address_is_known(text: str) -> None:
    assert not is_ip_literal(text)


def test_the_unspecified_addresses_are_known() -> None:
    assert is_unspecified("0.0.0.0")
    assert is_unspecified("::")
    assert not is_unspecified("10.0.0.0")
    assert not is_unspecified("::1")


def test_a_number_is_read_within_its_limit() -> None:
    assert whole_number("65535", 65535) == 65535
    assert whole_number("65536", 65535) is None
    assert whole_number("-1", 9) is None
    assert whole_number("٣", 9) is None
    assert whole_number("1" * 5000, 9) is None
