"""The 49 messages of RFC 4475, sent to an Endpoint: each gets an answer that its section prefers,
or none where none is asked, and OPTIONS is answered after each.

As the data's README tells: branches are made unique at equal length, a top Via that names TCP or
TLS is rewritten to UDP, and answers go to the source address at the port that sent-by names.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from applet.address import Address
from applet.sip.events import IncomingInvite
from applet.sip.headers import tag_in
from applet.sip.message import Response
from applet.sip.parser import parse
from applet.sip.uas import METHODS_BUILT
from tests.sip.playbook import assert_empty, do, pair, request, say
from tests.support.wire import Agent, Peer, Wire, in_short

FOLDER = Path(__file__).parents[1] / "data" / "rfc4475"
CASES: list[dict[str, Any]] = json.loads((FOLDER / "expectations.json").read_text("utf-8"))
NAMES = [case["file"] for case in CASES]
EXPECTED = {case["file"]: case for case in CASES}

ONLY_ALLOWED: dict[str, str] = {}
"""Messages whose answer is tolerated and not preferred, with our reason. There is none."""

SOURCE = Address("192.0.2.2", 6000)

_TOP_VIA = re.compile(rb"(?m)^((?:Via|v)[ \t]*:[ \t\r\n]*SIP[ \r\n]*/[ 0-9.\r\n]*/ *)(?:TCP|TLS)")


def prepared(name: str, number: int) -> bytes:
    """The message as it is sent over UDP."""
    data = (FOLDER / name).read_bytes()
    data = re.sub(
        rb"(branch\s*=\s*z9hG4bK)([^\r\n;, ]{4,})",
        lambda found: found[1] + f"{number:04d}".encode() + found[2][4:],
        data,
        count=1,
    )
    data = _TOP_VIA.sub(rb"\1UDP", data, count=1)
    return data + b"\r\n" if name == "baddn.dat" else data


def answers(agent: Agent, wire: Wire) -> list[Response]:
    """The final responses that left the phone; an incoming call is declined as busy."""
    for event in agent.take():
        if isinstance(event, IncomingInvite):
            do(agent, event.session.reject, 486)
    found = [sent.message for sent in wire.sent if sent.source == agent.address]
    wire.sent.clear()
    return [message for message in found if isinstance(message, Response) and message.status > 100]


def as_word(response: Response | None) -> str:
    if response is None:
        return "none"
    return "2xx" if 200 <= response.status < 300 else str(response.status)


def torture(agent: Agent, wire: Wire, name: str) -> Response | None:
    wire.sent.clear()
    wire.clock.at(
        wire.now,
        lambda: agent.receive_datagram(prepared(name, NAMES.index(name)), SOURCE),
    )
    wire.clock.run(0.0)
    found = answers(agent, wire)
    assert len(found) <= 1, "one message has one answer"
    return found[0] if found else None


def answers_options(agent: Agent, peer: Peer) -> bool:
    say(peer, agent, request("OPTIONS", peer, agent, call_id=f"check{agent.wire.now}"))
    agent.wire.clock.run(0.0)
    return peer.last_response("200 OPTIONS").header("Allow") is not None


@pytest.mark.parametrize("name", NAMES)
def test_each_torture_message_gets_the_preferred_answer(name: str) -> None:
    wire, agent, peer = pair()
    word = as_word(torture(agent, wire, name))
    case = EXPECTED[name]
    if name in ONLY_ALLOWED:
        assert word in case["allowed"]
    else:
        assert word in case["preferred"], case["note"]
    assert answers_options(agent, peer)
    assert_empty(agent)


def test_all_torture_messages_in_a_row_do_not_disturb_each_other() -> None:
    wire, agent, peer = pair()
    for name in NAMES:
        word = as_word(torture(agent, wire, name))
        assert word in EXPECTED[name]["preferred"] or name in ONLY_ALLOWED, name
        assert answers_options(agent, peer)
    assert_empty(agent)


def test_every_answer_has_a_to_tag_and_copies_what_identifies_the_request() -> None:
    wire, agent, _ = pair()
    for name in NAMES:
        response = torture(agent, wire, name)
        if response is not None and response.header("To"):
            assert tag_in(response.header("To") or ""), name
            assert response.header("Via"), name


def test_420_names_the_extensions_that_we_do_not_know() -> None:
    wire, agent, _ = pair()
    response = torture(agent, wire, "bext01.dat")
    assert response is not None
    assert response.values("Unsupported") == EXPECTED["bext01.dat"]["fields"]["unsupported"]


@pytest.mark.parametrize("name", ["intmeth.dat", "esc02.dat", "escnull.dat", "mismatch02.dat"])
def test_a_method_that_is_not_built_is_refused_with_allow(name: str) -> None:
    wire, agent, _ = pair()
    response = torture(agent, wire, name)
    assert response is not None and response.values("Allow") == list(METHODS_BUILT)


def test_415_names_what_we_read() -> None:
    wire, agent, _ = pair()
    response = torture(agent, wire, "invut.dat")
    assert response is not None and response.header("Accept") == "application/sdp, multipart/mixed"


def test_all_vias_come_back_in_their_order() -> None:
    wire, agent, _ = pair()
    response = torture(agent, wire, "transports.dat")
    assert response is not None and len(response.values("Via")) == 5
    original = parse(prepared("transports.dat", NAMES.index("transports.dat")))
    assert response.values("Via")[1:] == original.values("Via")[1:]


def test_the_second_request_in_one_datagram_is_ignored() -> None:
    wire, agent, _ = pair()
    response = torture(agent, wire, "dblreq.dat")
    assert response is not None and response.cseq.method == "REGISTER"


# --- over TCP


def over_tcp(name: str) -> tuple[Wire, Agent, Peer]:
    """Send a message as it stands over a connection."""
    wire, agent, _ = pair()
    peer = Peer(wire, "192.0.2.3")
    wire.connect(peer, agent.address)
    peer.send_stream((FOLDER / name).read_bytes())
    wire.clock.run(0.0)
    answers(agent, wire)
    wire.clock.run(0.0)
    return wire, agent, peer


@pytest.mark.parametrize("name", ["ncl.dat", "mcl01.dat"])
def test_a_stream_whose_framing_is_lost_is_answered_and_closed(name: str) -> None:
    wire, _, peer = over_tcp(name)
    assert [m.status for _, m in peer.got if isinstance(m, Response)] == [400]
    peer.send_stream(b"more of it")
    wire.clock.run(0.4)
    assert peer.streams != {}
    wire.clock.run(0.2)
    assert peer.streams == {}


def test_what_came_before_the_damage_of_a_stream_is_still_answered() -> None:
    """The INVITE in dblreq is longer than its Content-Length says."""
    wire, agent, _ = pair()
    peer = Peer(wire, "192.0.2.3")
    wire.connect(peer, agent.address)
    peer.send_stream((FOLDER / "dblreq.dat").read_bytes())
    wire.clock.run(0.1)
    answers(agent, wire)
    wire.clock.run(1.0)
    assert [in_short(m) for _, m in peer.got] == ["405 REGISTER", "486 INVITE"]
    assert peer.streams == {}


def test_a_stream_with_too_large_a_content_length_waits_for_the_rest() -> None:
    _, _, peer = over_tcp("clerr.dat")
    assert peer.got == [] and peer.streams != {}


@pytest.mark.parametrize("name", ["escruri.dat", "badvers.dat", "unkscm.dat", "esc01.dat"])
def test_a_message_that_is_bad_in_itself_leaves_the_stream_whole(name: str) -> None:
    wire, agent, peer = over_tcp(name)
    assert peer.streams != {}
    peer.send_stream(request("OPTIONS", peer, agent, transport="TCP"))
    wire.clock.run(0.0)
    assert isinstance(peer.got[-1][1], Response) and peer.got[-1][1].status == 200
