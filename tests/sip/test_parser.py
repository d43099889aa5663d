"""Datagrams: RFC 3261 sections 7 and 18.3."""

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from applet.sip.grammar import MessageError, quoted
from applet.sip.message import Message, Request, Response, check_request, check_response
from applet.sip.parser import parse
from applet.sip.uri import OtherUri, SipUri, Uri, parse_uri

VIA = "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"


def request(text: str) -> Request:
    message = parse(text.encode())
    assert isinstance(message, Request)
    return message


def refusal(data: bytes) -> MessageError:
    with pytest.raises(MessageError) as caught:
        parse(data)
    return caught.value


def test_a_request_is_read() -> None:
    assert request(f"OPTIONS sip:b@b.com SIP/2.0\r\n{VIA}X-Odd:  a : b \t\r\n\r\nbody") == (
        Request(
            "OPTIONS",
            parse_uri("sip:b@b.com"),
            [("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"), ("X-Odd", "a : b")],
            b"body",
        )
    )


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        ("SIP/2.0 200 OK", 200, "OK"),
        ("sip/2.0 180  Two  spaces ", 180, " Two  spaces "),
        ("SIP/2.0 100 ", 100, ""),
        ("SIP/2.0 100", 100, ""),
        ("SIP/2.0 699 = 2**3 * 5**2 но сто", 699, "= 2**3 * 5**2 но сто"),
    ],
)
def test_a_response_is_read(line: str, status: int, reason: str) -> None:
    message = parse(f"{line}\r\n\r\n".encode())
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (status, reason)


def test_compact_names_folding_and_values_over_several_lines() -> None:
    message = request(
        "INVITE sip:a@b SIP/2.0\r\n"
        "v: SIP/2.0/UDP h1;branch=1,\r\n SIP/2.0/UDP h2\r\nVIA \t: SIP/2.0/TCP h3\r\n"
        'f:\r\n\t"A\r\n B"\r\n <sip:a@b>\r\n ;tag=1\r\nt:sip:b@b\r\ns:\r\nl : 2\r\n\r\nabc'
    )
    assert [via.host for via in message.vias] == ["h1", "h2", "h3"]
    assert message.header("From") == '"A B" <sip:a@b> ;tag=1'
    assert message.from_.display == "A B"
    assert message.header("Subject") == ""
    assert message.body == b"ab"
    assert [name for name, _ in message.headers] == ["Via", "Via", "From", "To", "Subject"]


def test_line_breaks_before_the_start_line_are_skipped() -> None:
    assert request("\r\n\r\nOPTIONS sip:a@b SIP/2.0\r\n\r\n").method == "OPTIONS"


def test_without_content_length_the_body_is_the_rest_of_the_datagram() -> None:
    assert request(f"INFO sip:a@b SIP/2.0\r\n{VIA}\r\na\r\n\r\nb").body == b"a\r\n\r\nb"


def test_what_follows_the_body_is_ignored() -> None:
    assert request(f"INFO sip:a@b SIP/2.0\r\n{VIA}l: 1\r\n\r\na\r\n\r\nINVITE").body == b"a"


def test_a_body_may_be_any_bytes() -> None:
    body = bytes(range(256))
    assert parse(b"INFO sip:a@b SIP/2.0\r\nl: 256\r\n\r\n" + body).body == body


def test_headers_that_are_not_utf_8_are_read_as_latin_1() -> None:
    message = parse(b"OPTIONS sip:a@b SIP/2.0\r\nSubject: caf\xe9\r\n\r\n")
    assert message.header("Subject") == "café"
    assert b"caf\xc3\xa9" in message.encode()


@pytest.mark.parametrize(
    "line",
    [
        "INVITE  sip:a@b  SIP/2.0",
        "INVITE sip:a@b SIP/2.0  ",
        "INVITE sip:a@b; lr SIP/2.0",
        "INVITE <sip:a@b> SIP/2.0",
        "INVITE sip:a@b",
        "INVITE",
        "INVITE sip:a@b HTTP/1.1",
    ],
)
def test_a_bad_request_line_gives_400_with_what_an_answer_needs(line: str) -> None:
    error = refusal(f"{line}\r\n{VIA}CSeq: 1 INVITE\r\n\r\n".encode())
    assert error.status == 400
    assert error.partial is not None
    assert error.partial.method == "INVITE"
    assert error.partial.top_via.branch == "z9hG4bK1"
    assert error.partial.reply(400).header("CSeq") == "1 INVITE"


def test_the_partial_of_an_unreadable_request_uri_has_an_empty_one() -> None:
    partial = refusal(f"INVITE <sip:a@b> SIP/2.0\r\n{VIA}\r\n".encode()).partial
    assert partial is not None
    assert partial.uri == OtherUri("", "")


def test_another_version_gives_505() -> None:
    for version in ("7.0", "2.1", "3.0"):
        error = refusal(f"OPTIONS sip:a@b SIP/{version}\r\nVia: SIP/7.0/UDP h\r\n\r\n".encode())
        assert error.status == 505
        assert error.partial is not None
        assert error.partial.top_via.host == "h"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"\r\n",
        b"\0\0\0\0",
        bytes(range(256)),
        b"SIP/2.0 4294967301 better not break the receiver\r\nVia: SIP/2.0/UDP h\r\n\r\n",
        b"SIP/2.0 099 low\r\nVia: SIP/2.0/UDP h\r\n\r\n",
        b"SIP/2.0 700 high\r\nVia: SIP/2.0/UDP h\r\n\r\n",
        b"SIP/3.0 200 OK\r\nVia: SIP/2.0/UDP h\r\n\r\n",
        "SIP/2.0 ٢٠٠ OK\r\nVia: SIP/2.0/UDP h\r\n\r\n".encode(),
        b"OPTIONS sip:a@b SIP/7.0\r\n\r\n",
        b"\x80(\xff) sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\n",
    ],
)
def test_noise_and_broken_responses_are_not_answered(data: bytes) -> None:
    assert refusal(data).partial is None


@pytest.mark.parametrize(
    "lines",
    [
        "no colon\r\n",
        "Subject\r\n",
        ": no name\r\n",
        "two words: x\r\n",
        "l: -1\r\n",
        "l: 1e3\r\n",
        "l:\r\n",
        f"l: {'9' * 5000}\r\n",
        "l: 0\r\nContent-Length: 0\r\n",
        "Content-Length: 1\r\n",
        "Subject: a\rb\r\n",
        "Subject: a\nVia: evil\r\n",
        "X: y\r\n" * 500,
    ],
)
def test_a_bad_header_line_gives_400_with_what_an_answer_needs(lines: str) -> None:
    error = refusal(f"OPTIONS sip:a@b SIP/2.0\r\n{VIA}{lines}\r\n".encode())
    assert error.status == 400
    assert error.partial is not None
    assert error.partial.top_via.host == "192.0.2.1"


def test_headers_after_a_bad_line_can_be_used_for_the_answer() -> None:
    error = refusal(f"OPTIONS sip:a@b SIP/2.0\r\nbad\r\nworse\r\n{VIA}i: 1\r\n\r\n".encode())
    assert error.text == "a header without a colon"
    assert error.partial is not None
    assert error.partial.call_id == "1"


def test_headers_without_an_end_give_400() -> None:
    error = refusal(f"OPTIONS sip:a@b SIP/2.0\r\n{VIA}i: 1\r\n".encode())
    assert error.status == 400
    assert error.partial is not None
    assert error.partial.call_id == "1"


def test_a_message_as_large_as_a_datagram_is_read_and_a_larger_one_refused() -> None:
    head = f"INFO sip:a@b SIP/2.0\r\n{VIA}\r\n".encode()
    assert len(parse(head + b"x" * (65_535 - len(head))).body) == 65_535 - len(head)
    error = refusal(head + b"x" * (65_536 - len(head)))
    assert error.status == 513
    assert error.partial is not None


@pytest.mark.parametrize(
    "value",
    [
        "x" * 60_000, '"' * 60_000, '"\\' * 30_000, "<" * 60_000, "," * 60_000, ";" * 60_000,
        " " * 30_000 + ";" + " " * 30_000, ";a" * 30_000, ";a=" * 20_000, "sip:" * 15_000,
        "a " * 30_000, "%41" * 20_000, '"a",' * 15_000, "[:" * 30_000,
    ],
)  # fmt: skip
def test_no_header_takes_long_to_read(value: str) -> None:
    # Polynomial matching of 60,000 characters would run into the tests' time limit.
    for name in ("Via", "From", "Contact", "CSeq", "Call-ID", "Record-Route"):
        touch(parse(f"INVITE sip:a@b SIP/2.0\r\n{name}: {value}\r\n\r\n".encode()))
    for start in ("", "SIP/2.0/UDP h", "<sip:a@b>", "sip:"):
        for name in ("Via", "From"):
            touch(parse(f"INVITE sip:a@b SIP/2.0\r\n{name}: {start}{value}\r\n\r\n".encode()))


class Views(NamedTuple):
    names: tuple[str, ...] = (
        "vias", "top_via", "from_", "to", "call_id", "cseq", "contacts", "routes",
        "record_routes", "require", "supported", "content_type", "max_forwards", "expires",
        "retry_after",
    )  # fmt: skip


def touch(message: Message) -> None:
    """Read every view: it works, or it raises MessageError."""
    for name in Views().names:
        try:
            getattr(message, name)
        except MessageError:
            continue


# Properties

tokens = st.text("abcXYZ019-.!%*_+`'~", min_size=1, max_size=8)
hosts = st.sampled_from(["example.com", "192.0.2.1", "2001:db8::1", "h_1"])
ports = st.none() | st.integers(0, 65535)
user_characters = st.sampled_from("aZ0-_.!~*'()&=+$,;?/%#äλ")
uri_params = st.lists(st.tuples(tokens, st.none() | tokens), max_size=3).map(tuple)
sip_uris: st.SearchStrategy[Uri] = st.builds(
    SipUri,
    st.sampled_from(["sip", "sips"]),
    st.text(user_characters, min_size=1, max_size=6),
    st.none() | st.text(user_characters, max_size=4),
    hosts,
    ports,
    uri_params,
    st.sampled_from(["", "a=b", "Subject=x&y=%3C"]),
)
uris = sip_uris | st.builds(OtherUri, st.sampled_from(["tel", "soap.beep"]), tokens)
values = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=20
).map(lambda text: text.strip(" \t"))
header_names = st.sampled_from(["Via", "Subject", "Contact", "X-Mine", "x-mine"]) | (
    tokens.map(lambda token: "X-" + token)
)
header_lists = st.lists(st.tuples(header_names, values), max_size=6)
bodies = st.binary(max_size=30)
messages: st.SearchStrategy[Message] = st.builds(
    Request, tokens, uris, header_lists, bodies
) | st.builds(Response, st.integers(100, 699), values, header_lists, bodies)
few = settings(max_examples=150, deadline=None)


@few
@given(messages)
def test_a_printed_message_is_read_as_the_same_message(message: Message) -> None:
    assert parse(message.encode()) == message


@few
@given(sip_uris)
def test_a_printed_uri_is_read_as_the_same_uri(uri: SipUri) -> None:
    assert parse_uri(str(uri)) == uri
    assert uri.matches(uri)


@few
@given(st.text(max_size=20))
def test_any_text_can_be_quoted(text: str) -> None:
    message = parse(f"OPTIONS sip:a@b SIP/2.0\r\nf: {quoted(text)} <sip:a@b>\r\n\r\n".encode())
    assert message.from_.display == text.replace("\r", " ").replace("\n", " ")


def survives(data: bytes) -> None:
    try:
        message = parse(data)
    except MessageError as error:
        if error.partial is not None:
            assert error.partial.top_via
            parse(error.partial.reply(error.status, error.text, to_tag="t").encode())
        return
    touch(message)
    try:
        if isinstance(message, Request):
            check_request(message)
        else:
            check_response(message)
    except MessageError as error:
        assert error.status == 400


GOOD = (
    b"INVITE sip:bob@example.com;lr SIP/2.0\r\nv: SIP/2.0/UDP h:5060;rport;branch=z9hG4bK7\r\n"
    b'f: "A\\"" <sip:a@[::1]>;tag=1\r\nt: sip:b@b\r\ni: 1@h\r\nCSeq: 1 INVITE\r\nm: <sip:a@h>,*\r\n'
    b"Max-Forwards: 70\r\nRecord-Route: <sip:p;lr>\r\nSupported: a, b\r\nl: 4\r\n\r\nbody"
)


@few
@given(st.binary(max_size=200))
def test_any_bytes_raise_nothing_but_message_errors(data: bytes) -> None:
    survives(data)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(GOOD) - 1),
            st.integers(0, 3),
            st.sampled_from(b'\r\n :;,<>"\\@[]/?=%\0\xff-9zZ').map(lambda octet: bytes([octet])),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_a_damaged_message_raises_nothing_but_message_errors(
    wounds: list[tuple[int, int, bytes]],
) -> None:
    data = bytearray(GOOD)
    for at, removed, put in wounds:
        data[at : at + removed] = put
    survives(bytes(data))
