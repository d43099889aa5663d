"""Messages, their typed views, replies and the check of what is mandatory."""

import pytest

from applet.sip.grammar import LocalProtocolError, MessageError
from applet.sip.headers import ANY_CONTACT, NameAddr
from applet.sip.message import (
    Message,
    Request,
    Response,
    check_request,
    check_response,
    salvaged,
)
from applet.sip.reasons import reason_phrase
from applet.sip.uri import OtherUri, parse_uri

HEADERS = [
    ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"),
    ("Max-Forwards", "70"),
    ("From", '"A" <sip:a@a.com>;tag=1'),
    ("To", "<sip:b@b.com>"),
    ("Call-ID", "c1"),
    ("CSeq", "1 INVITE"),
    ("Contact", "<sip:a@192.0.2.1>"),
]
BOB = parse_uri("sip:b@b.com")


def invite(*more: tuple[str, str], without: str = "", body: bytes = b"") -> Request:
    kept = [pair for pair in HEADERS if pair[0] != without]
    return Request("INVITE", BOB, [*kept, *more], body)


def refusal(message: Message) -> MessageError:
    with pytest.raises(MessageError) as caught:
        if isinstance(message, Request):
            check_request(message)
        else:
            assert isinstance(message, Response)
            check_response(message)
    return caught.value


# Printing


def test_a_message_prints_its_lines_in_order_and_the_length_of_its_body_last() -> None:
    request = Request("INFO", BOB, [("X-b", "1"), ("X-A", ""), ("Subject", "grüß")], "ä".encode())
    assert (
        request.encode()
        == (
            "INFO sip:b@b.com SIP/2.0\r\nX-b: 1\r\nX-A: \r\nSubject: grüß\r\n"
            "Content-Length: 2\r\n\r\nä"
        ).encode()
    )
    assert bytes(Response(180, "Ringing")) == b"SIP/2.0 180 Ringing\r\nContent-Length: 0\r\n\r\n"


def test_a_line_break_of_ours_in_a_header_is_a_loud_error() -> None:
    for value in ("a\r\nVia: evil", "a\nb", "a\rb"):
        with pytest.raises(LocalProtocolError):
            invite(("Subject", value)).encode()


def test_a_lone_surrogate_does_not_stop_the_printing() -> None:
    assert b"Subject: a?b" in invite(("Subject", "a\ud800b")).encode()


def test_only_requests_and_responses_have_a_start_line() -> None:
    with pytest.raises(LocalProtocolError):
        Message().start_line()


def test_a_message_shows_its_start_line() -> None:
    assert repr(invite()) == "<INVITE sip:b@b.com SIP/2.0>"
    assert repr(Response(486, "Busy Here")) == "<SIP/2.0 486 Busy Here>"


def test_messages_are_equal_by_content() -> None:
    assert invite() == invite()
    assert invite() != invite(body=b"x")
    assert invite() != Response(200)
    assert invite() != "INVITE"
    assert Response(200, "OK") != Response(200, "Fine")


# Access by name


def test_a_header_is_found_by_any_spelling_of_its_name() -> None:
    request = invite(("X-Mine", "1"), ("x-mine", "2"))
    for name in ("Call-ID", "call-id", "CALL-ID", "i"):
        assert request.header(name) == "c1"
    assert request.header("x-MINE") == "1"
    assert request.lines("X-MINE") == ["1", "2"]
    assert request.header("Subject") is None
    assert request.header("X-Other") is None


def test_list_headers_are_split_at_commas_and_others_are_not() -> None:
    request = invite(
        ("Supported", "replaces, timer"), ("Supported", "100rel"), ("Supported", ""),
        ("Date", "Sat, 13 Nov 2010 23:29:00 GMT"), ("X-Mine", "a, b"),
    )  # fmt: skip
    assert request.values("k") == ["replaces", "timer", "100rel"]
    assert request.lines("Supported") == ["replaces, timer", "100rel", ""]
    assert request.values("Date") == ["Sat, 13 Nov 2010 23:29:00 GMT"]
    assert request.values("X-Mine") == ["a, b"]


def test_changes_make_a_new_message() -> None:
    first = invite(("X-Mine", "1"), ("x-mine", "2"))
    assert first.with_header("f", "<sip:x@y>").headers[2] == ("From", "<sip:x@y>")
    assert first.with_header("X-MINE", "3").headers[7:] == [("X-MINE", "3")]
    assert first.with_header("Subject", "s").headers[-1] == ("Subject", "s")
    assert first.without("X-MINE").headers == HEADERS
    assert first.prepended("v", "SIP/2.0/TCP h").headers[0] == ("Via", "SIP/2.0/TCP h")
    assert first.replaced(method="BYE", body=b"b") == Request("BYE", BOB, first.headers, b"b")
    assert Response(200, "OK").replaced(status=202) == Response(202, "OK")
    assert first == invite(("X-Mine", "1"), ("x-mine", "2"))


# Views


def test_the_views_of_a_full_request() -> None:
    request = invite(
        ("Via", "SIP/2.0/TCP h2, SIP/2.0/TLS h3"),
        ("Route", "<sip:p1;lr>, <sip:p2>"),
        ("Record-Route", "<sip:r1;lr>"),
        ("Require", "Timer, 100rel"),
        ("Supported", "Replaces"),
        ("Content-Type", "Application / SDP ;charset=utf-8"),
        ("Expires", "3600"),
        ("Retry-After", "120 (back soon);duration=60"),
    )
    assert [via.host for via in request.vias] == ["192.0.2.1", "h2", "h3"]
    assert request.top_via.branch == "z9hG4bK1"
    assert (request.from_.tag, request.to.tag, request.call_id) == ("1", None, "c1")
    assert (request.cseq.number, request.cseq.method) == (1, "INVITE")
    assert [str(contact) for contact in request.contacts] == ["<sip:a@192.0.2.1>"]
    assert [str(route.uri) for route in request.routes] == ["sip:p1;lr", "sip:p2"]
    assert [str(route.uri) for route in request.record_routes] == ["sip:r1;lr"]
    assert request.require == ("Timer", "100rel")
    assert request.supported == ("replaces",)
    assert request.content_type == "application/sdp"
    assert (request.max_forwards, request.expires, request.retry_after) == (70, 3600, 120)


def test_views_of_what_is_not_there() -> None:
    empty = Response(200)
    assert empty.vias == ()
    assert empty.contacts == empty.routes == empty.record_routes == ()
    assert empty.require == empty.supported == ()
    assert empty.content_type == ""
    assert empty.max_forwards is empty.expires is empty.retry_after is None
    for name in ("top_via", "from_", "to", "call_id", "cseq"):
        with pytest.raises(MessageError, match="is missing"):
            getattr(empty, name)


def test_a_view_is_read_once() -> None:
    request = invite()
    assert request.from_ is request.from_


def test_views_explain_themselves() -> None:
    assert "seconds" in (Message.expires.__doc__ or "").lower()


def test_numbers_that_do_not_matter_are_no_reason_to_refuse() -> None:
    request = invite(("Expires", "1" + "0" * 100), ("Retry-After", "soon"))
    assert request.expires == 2**32 - 1
    assert request.retry_after is None
    assert request.with_header("Max-Forwards", "300").max_forwards == 255
    check_request(request.with_header("Max-Forwards", "many"))


def test_contact_star_is_a_value_of_its_own() -> None:
    assert invite(without="Contact").with_header("Contact", "*").contacts == (ANY_CONTACT,)


# Replies


def test_a_reply_copies_what_rfc_3261_section_8_2_6_2_names() -> None:
    request = invite(("Via", "SIP/2.0/UDP h2"), ("Timestamp", "54"), ("Subject", "s"))
    reply = request.reply(180, to_tag="t", headers=[("Allow", "ACK")], body=b"b")
    assert reply.start_line() == "SIP/2.0 180 Ringing"
    assert reply.headers == [
        HEADERS[0], HEADERS[2], ("To", "<sip:b@b.com>;tag=t"), HEADERS[4], HEADERS[5],
        ("Via", "SIP/2.0/UDP h2"), ("Allow", "ACK"),
    ]  # fmt: skip
    assert reply.body == b"b"


def test_only_a_100_copies_the_timestamp() -> None:
    trying = invite(("Timestamp", "54")).reply(100)
    assert (trying.header("Timestamp"), trying.header("To")) == ("54", "<sip:b@b.com>")


def test_a_reply_keeps_a_tag_that_is_there() -> None:
    request = invite().with_header("To", "<sip:b@b.com>;tag=old")
    assert request.reply(200, to_tag="new").to.tag == "old"
    uri_param = invite().with_header("To", "<sip:b@b.com;tag=of-the-uri>")
    assert uri_param.reply(200, to_tag="new").to.tag == "new"


def test_a_request_with_a_broken_to_can_be_answered() -> None:
    broken = invite().with_header("To", '"Mr. J. User <sip:j@example.com>')
    assert broken.reply(400, "why", to_tag="t").header("To") == (
        '"Mr. J. User <sip:j@example.com>;tag=t'
    )
    tagged = broken.with_header("To", '"open <sip:j@example.com>;tag=x')
    assert tagged.reply(400, to_tag="t").header("To") == '"open <sip:j@example.com>;tag=x'
    assert invite(without="To").reply(400, to_tag="t").header("To") is None


def test_statuses_have_their_usual_phrases() -> None:
    assert reason_phrase(481) == "Call/Transaction Does Not Exist"
    assert reason_phrase(299) == ""


# What is mandatory


def test_a_good_request_passes() -> None:
    check_request(invite())
    check_request(invite(without="Max-Forwards"))  # RFC 2543 did not know it


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq"])
def test_a_request_without_a_mandatory_header_is_refused_and_can_be_answered(name: str) -> None:
    error = refusal(invite(without=name))
    assert (error.status, error.text) == (400, f"{name} is missing")
    assert error.partial == invite(without=name)


def test_a_request_without_via_is_refused_and_cannot_be_answered() -> None:
    assert refusal(invite(without="Via")).partial is None


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq", "Max-Forwards"])
def test_a_doubled_header_is_refused(name: str) -> None:
    error = refusal(invite((name, dict(HEADERS)[name])))
    assert (error.status, error.text) == (400, f"{name} is there twice")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Via", "SIP/2.0/UDP 192.0.2.15;;,;,,"),
        ("Via", "SIP/2.0/UDP h:70000"),
        ("From", "Bell, Alexander <sip:a@b>"),
        ("To", "< sip:a@b >"),
        ("Call-ID", ""),
        ("Call-ID", "a b"),
        ("Call-ID", "a\tb"),
        ("CSeq", "36893488147419103232 INVITE"),
        ("CSeq", "1 OPTIONS"),
        ("Contact", '"Joe" <sip:joe@example.org>;;;;'),
        ("Record-Route", "<sip:"),
    ],
)
def test_what_matters_must_be_readable(name: str, value: str) -> None:
    error = refusal(invite().with_header(name, value))
    assert error.status == 400
    assert error.partial is not None
    assert error.partial.top_via.transport == "UDP"


def test_the_partial_keeps_what_can_be_read_of_via() -> None:
    partial = refusal(
        invite().with_header("Via", "SIP/2.0/UDP h:1;rport;;, SIP/2.0/TCP h2")
    ).partial
    assert partial is not None
    assert partial.headers[0] == ("Via", "SIP/2.0/UDP h:1;rport, SIP/2.0/TCP h2")
    assert refusal(invite().with_header("Via", "noise")).partial is None
    assert refusal(invite().with_header("Via", ",")).partial is None


def test_a_broken_date_is_no_reason_to_refuse() -> None:
    check_request(invite(("Date", "Fri, 01 Jan 2010 16:00:00 EST"), ("Warning", "1812 x")))


def test_cseq_of_an_unknown_method_is_left_to_the_answer_501() -> None:
    check_request(invite().replaced(method="NEWMETHOD"))


def test_headers_in_the_request_uri_are_refused() -> None:
    assert refusal(invite().replaced(uri=parse_uri("sip:a@b?Route=%3Csip:c%3E"))).status == 400
    check_request(invite().replaced(uri=OtherUri("tel", "112?x=y")))


def test_contact_is_read_only_where_it_matters() -> None:
    bye = invite().with_header("Contact", "<broken").with_header("CSeq", "1 BYE")
    check_request(bye.replaced(method="BYE"))


def test_a_response_is_checked_alike() -> None:
    ok = Response(200, "OK", HEADERS)
    check_response(ok)
    assert "twice" in refusal(ok.prepended("To", "<sip:a@b>")).text
    assert refusal(ok.with_header("CSeq", "9292394834772304023312 OPTIONS")).partial is None
    assert refusal(ok.with_header("Contact", "<broken")).text == "an address cannot be read"
    check_response(ok.with_header("Contact", "<broken").replaced(status=486))


def test_a_response_with_a_second_via_is_not_for_us() -> None:
    ok = Response(200, "OK", [*HEADERS, ("Via", "SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK2")])
    assert "second Via" in refusal(ok).text


def test_salvage_needs_a_via() -> None:
    assert salvaged(Request("INVITE", BOB)) is None


def test_a_contact_of_another_scheme_is_well_formed() -> None:
    request = invite().with_header("Contact", "<name:John_Smith>")
    check_request(request)
    assert request.contacts == (NameAddr("", OtherUri("name", "John_Smith")),)
