"""The 49 messages of RFC 4475: what syntax alone decides about them.

`VERDICTS` lists those that `parse`, `check_request` or `check_response` refuse, with the status.
All others reach the endpoint, which owes the answer that depends on what a phone can do: 501 and
405 by method, 416 by scheme, 420 by Require, 415 by Content-Type, 406 by Accept, 481 by tag.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from applet.sip.grammar import MessageError
from applet.sip.message import Message, Request, Response, check_request, check_response
from applet.sip.parser import KeepAlive, StreamParser, parse
from applet.sip.uri import SipUri, Uri

FOLDER = Path(__file__).parents[1] / "data" / "rfc4475"
CASES: list[dict[str, Any]] = json.loads((FOLDER / "expectations.json").read_text("utf-8"))
NAMES = [case["file"] for case in CASES]
EXPECTED = {case["file"]: case for case in CASES}

VERDICTS = {
    "badaspec.dat": 400,
    "baddn.dat": 400,
    "badinv01.dat": 400,
    "badvers.dat": 505,
    "bcast.dat": None,
    "bigcode.dat": None,
    "clerr.dat": 400,
    "escruri.dat": 400,
    "insuf.dat": 400,
    "ltgtruri.dat": 400,
    "lwsruri.dat": 400,
    "lwsstart.dat": 400,
    "mcl01.dat": 400,
    "mismatch01.dat": 400,
    "multi01.dat": 400,
    "ncl.dat": 400,
    "quotbal.dat": 400,
    "regbadct.dat": 400,
    "scalar02.dat": 400,
    "scalarlg.dat": None,
    "trws.dat": 400,
}  # None: dropped without an answer

# What the endpoint may have to answer for the messages that syntax lets through.
BY_THE_ENDPOINT = {"2xx", "404", "405", "406", "415", "416", "420", "480", "481", "486", "501"}


def read(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def accepted(data: bytes) -> Message:
    message = parse(data)
    if isinstance(message, Request):
        check_request(message)
    else:
        assert isinstance(message, Response)
        check_response(message)
    return message


def user_of(uri: Uri) -> str:
    assert isinstance(uri, SipUri)
    return uri.user_unescaped


def request_uri(message: Message) -> SipUri:
    assert isinstance(message, Request)
    assert isinstance(message.uri, SipUri)
    return message.uri


FIELDS: dict[str, Any] = {
    "method": lambda m: m.method,
    "status": lambda m: m.status,
    "cseq": lambda m: m.cseq.number,
    "max_forwards": lambda m: m.max_forwards,
    "via_count": lambda m: len(m.vias),
    "subject": lambda m: m.header("Subject"),
    "to_tag": lambda m: m.to.tag,
    "from_tag": lambda m: m.from_.tag,
    "from_display": lambda m: m.from_.display,
    "call_id": lambda m: m.call_id,
    "route_count": lambda m: len(m.routes),
    "contact_params_novalue": lambda m: (
        m.contacts[0].has_param("secondparam") and m.contacts[0].param("secondparam") is None
    ),
    "body_len": lambda m: len(m.body),
    "ruri_user": lambda m: request_uri(m).user,
    "ruri_scheme": lambda m: request_uri(m).scheme,
    "ruri_user_unescaped": lambda m: user_of(m.uri),
    "ruri_host": lambda m: request_uri(m).host,
    "to_user_unescaped": lambda m: user_of(m.to.uri),
    "contact_user_unescaped": lambda m: user_of(m.contacts[0].uri),
    "contacts": lambda m: [str(contact.uri) for contact in m.contacts],
    "only_one": lambda m: m.body == b"",
    "content_type": lambda m: m.content_type,
    "unsupported": lambda m: list(m.require),
}


def test_all_49_messages_are_here() -> None:
    assert len(CASES) == 49
    assert sorted(NAMES) == sorted(path.name for path in FOLDER.glob("*.dat"))


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(VERDICTS)))
def test_a_well_formed_message_is_read_with_its_fields(name: str) -> None:
    message = accepted(read(name))
    found = {field: FIELDS[field](message) for field in EXPECTED[name]["fields"]}
    assert found == EXPECTED[name]["fields"]
    assert parse(message.encode()) == message


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(VERDICTS)))
def test_syntax_leaves_a_well_formed_request_to_the_endpoint(name: str) -> None:
    preferred = set(EXPECTED[name]["preferred"])
    assert preferred & BY_THE_ENDPOINT or isinstance(parse(read(name)), Response)


@pytest.mark.parametrize("name", sorted(VERDICTS))
def test_a_malformed_message_gets_the_preferred_verdict(name: str) -> None:
    with pytest.raises(MessageError) as caught:
        accepted(read(name))
    status, partial = VERDICTS[name], caught.value.partial
    if status is None:
        assert EXPECTED[name]["preferred"] == ["none"]
        assert partial is None
    else:
        assert str(status) in EXPECTED[name]["preferred"]
        assert caught.value.status == status
        assert partial is not None
        assert_can_be_answered(partial, status, read(name))


def assert_can_be_answered(partial: Request, status: int, data: bytes) -> None:
    """The answer goes to the readable top Via and carries all that identifies the request."""
    assert partial.method.encode() == data.split()[0]
    assert partial.top_via.host
    answer = parse(partial.reply(status, to_tag="ours").encode())
    for name in ("From", "Call-ID", "CSeq"):
        assert answer.header(name) == partial.header(name)


def test_the_display_name_of_baddn_is_refused_with_its_blank_line_too() -> None:
    with pytest.raises(MessageError) as caught:
        accepted(read("baddn.dat") + b"\r\n")
    assert caught.value.status == 400
    assert caught.value.text == "an address cannot be read"


def test_parameters_of_the_escaped_contact_keep_their_meaning() -> None:
    contact = parse(read("esc01.dat")).contacts[0]
    assert isinstance(contact.uri, SipUri)
    assert contact.uri.has_param("lr")
    assert contact.uri.param("name") == "value%41"


def test_a_name_with_escapes_is_no_other_header() -> None:
    message = parse(read("esc02.dat"))
    assert len(message.contacts) == 2
    assert message.header("C%6Fntact") == "<sip:alias2@host2.example.com>"


def test_vias_of_unknown_transports_come_back_in_order() -> None:
    request = parse(read("transports.dat"))
    assert isinstance(request, Request)
    assert [via.transport for via in request.reply(200).vias] == (
        ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]
    )


def test_the_reason_in_cyrillic_is_kept() -> None:
    message = parse(read("unreason.dat"))
    assert isinstance(message, Response)
    assert message.reason.startswith("= 2**3 * 5**2 но сто")


def test_urls_of_other_schemes_are_well_formed_in_headers() -> None:
    message = parse(read("unksm2.dat"))
    assert [str(a.uri) for a in (message.to, message.from_, *message.contacts)] == (
        ["isbn:2983792873", "http://www.example.com", "name:John_Smith"]
    )


# The same bytes on a stream


@pytest.mark.parametrize("name", NAMES)
def test_on_a_stream_every_message_is_framed_or_breaks_the_stream(name: str) -> None:
    unframed = {"clerr.dat", "baddn.dat"}  # waiting for more
    broken = {"ncl.dat", "mcl01.dat", "inv2543.dat", "dblreq.dat"}
    stream = StreamParser()
    received = stream.feed(read(name))
    assert stream.broken == (name in broken)
    assert bool(received) == (name not in unframed)
    if name not in unframed | broken:
        assert len([item for item in received if item is not KeepAlive.PING]) == 1
    dribble = StreamParser()
    items = [item for byte in read(name) for item in dribble.feed(bytes([byte]))]
    assert [type(item) for item in items] == [type(item) for item in received]


def test_on_a_stream_dblreq_is_two_requests_and_the_noise_behind_the_second() -> None:
    register, invite, noise = StreamParser().feed(read("dblreq.dat"))
    assert isinstance(register, Request)
    assert isinstance(invite, Request)
    assert (register.method, invite.method, len(invite.body)) == ("REGISTER", "INVITE", 150)
    assert isinstance(noise, MessageError)
    assert noise.partial is None
