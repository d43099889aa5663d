"""Streams: framing by Content-Length and keep-alives (RFC 3261 section 18.3, RFC 5626 4.4.1)."""

from hypothesis import given, settings
from hypothesis import strategies as st

from applet.sip.grammar import MessageError
from applet.sip.message import Request, Response
from applet.sip.parser import KeepAlive, Received, StreamParser
from applet.sip.uri import parse_uri

VIA = ("Via", "SIP/2.0/TCP h;branch=z9hG4bK1")
INFO = Request("INFO", parse_uri("sip:a@b"), [VIA], b"body\r\n\r\n")
OK = Response(200, "OK", [VIA])


def error_of(received: list[Received]) -> MessageError:
    (error,) = received
    assert isinstance(error, MessageError)
    return error


def test_a_message_comes_out_when_its_last_byte_is_in() -> None:
    stream = StreamParser()
    data = INFO.encode()
    for byte in data[:-1]:
        assert stream.feed(bytes([byte])) == []
    assert stream.feed(data[-1:]) == [INFO]


def test_several_messages_in_one_chunk_come_out_in_order() -> None:
    assert StreamParser().feed(INFO.encode() + OK.encode() + INFO.encode()) == [INFO, OK, INFO]


def test_a_chunk_may_end_in_the_middle_of_the_next_message() -> None:
    stream = StreamParser()
    data = INFO.encode() + OK.encode()
    assert stream.feed(data[:-5]) == [INFO]
    assert stream.feed(data[-5:]) == [OK]


def test_line_breaks_between_messages_do_no_harm() -> None:
    assert StreamParser().feed(b"\r\n" + OK.encode() + b"\r\n" + OK.encode()) == [OK, OK]


def test_two_line_breaks_are_a_ping() -> None:
    stream = StreamParser()
    assert stream.feed(b"\r\n\r\n") == [KeepAlive.PING]
    assert stream.feed(OK.encode() + b"\r\n\r\n" + OK.encode()) == [OK, KeepAlive.PING, OK]


def test_a_ping_may_come_byte_by_byte() -> None:
    stream = StreamParser()
    assert [stream.feed(bytes([byte])) for byte in b"\r\n\r\n"] == [[], [], [], [KeepAlive.PING]]


def test_half_a_ping_before_a_message_means_nothing() -> None:
    stream = StreamParser()
    assert stream.feed(b"\r\n") == []
    assert stream.feed(b"\r") == []
    assert stream.feed(b"\n\r\n" + OK.encode()) == [KeepAlive.PING, OK]


def test_a_flood_of_pings_asks_for_one_pong() -> None:
    assert StreamParser().feed(b"\r\n" * 30_000) == [KeepAlive.PING]


def test_one_line_break_is_the_pong_that_we_wait_for() -> None:
    stream = StreamParser()
    stream.expect_pong()
    assert stream.feed(b"\r") == []
    assert stream.feed(b"\n") == [KeepAlive.PONG]
    assert stream.feed(b"\r\n\r\n") == [KeepAlive.PING]


def test_a_message_without_content_length_breaks_the_stream() -> None:
    stream = StreamParser()
    error = error_of(stream.feed(b"INFO sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h\r\n\r\nbody"))
    assert error.status == 400
    assert error.partial is not None
    assert stream.broken
    assert stream.feed(OK.encode()) == []


def test_an_absurd_content_length_breaks_the_stream_at_once() -> None:
    for length, status in (("65536", 513), ("4294967295", 513), ("9" * 5000, 400), ("-1", 400)):
        stream = StreamParser()
        head = f"INFO sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nl: {length}\r\n\r\n"
        error = error_of(stream.feed(head.encode()))
        assert error.status == status
        assert error.partial is not None
        assert stream.broken


def test_two_content_lengths_break_the_stream() -> None:
    stream = StreamParser()
    assert error_of(stream.feed(b"INFO sip:a@b SIP/2.0\r\nl: 1\r\nl: 1\r\n\r\n")).status == 400
    assert stream.broken


def test_the_largest_allowed_body_is_taken() -> None:
    large = INFO.replaced(body=b"x" * 65_535)
    assert StreamParser().feed(large.encode()) == [large]


def test_headers_without_end_break_the_stream() -> None:
    stream = StreamParser()
    assert stream.feed(b"INFO sip:a@b SIP/2.0\r\nX: ") == []
    assert stream.feed(b"x" * 65_000) == []
    error = error_of(stream.feed(b"x" * 1_000))
    assert (error.status, error.partial) == (513, None)
    assert stream.broken


def test_headers_that_are_too_large_break_the_stream_even_if_they_end() -> None:
    stream = StreamParser()
    error_of(stream.feed(b"INFO sip:a@b SIP/2.0\r\nX: " + b"x" * 66_000 + b"\r\nl: 0\r\n\r\n"))
    assert stream.broken


def test_a_bad_message_with_a_readable_length_leaves_the_stream_whole() -> None:
    stream = StreamParser()
    bad = b"INVITE  sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nl: 4\r\n\r\nbody"
    error, after = stream.feed(bad + OK.encode())
    assert isinstance(error, MessageError)
    assert error.partial is not None
    assert after == OK
    assert not stream.broken


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 90), max_size=12))
def test_the_cut_of_the_stream_does_not_matter(cuts: list[int]) -> None:
    data = INFO.encode() + b"\r\n\r\n" + OK.encode() + INFO.encode()
    stream = StreamParser()
    received: list[Received] = []
    for cut in cuts:
        received += stream.feed(data[:cut])
        data = data[cut:]
    received += stream.feed(data)
    assert received == [INFO, KeepAlive.PING, OK, INFO]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_stream_raises_nothing(chunks: list[bytes]) -> None:
    stream = StreamParser()
    for chunk in chunks:
        stream.feed(chunk + b"\r\n")
