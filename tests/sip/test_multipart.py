"""Session descriptions among other parts of a body (RFC 5621)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applet.sip.events import Answered, IncomingInvite
from applet.sip.multipart import MOST_DEPTH, MOST_PARTS, demands_more, description_in, parts_of
from tests.sip.playbook import ANSWER, OFFER, call, incoming, only, pair, request, say

ISUP = b"Content-Type: application/isup;version=x\r\n\r\n\x01\x02\r\n\r\n"
OURS = b"Content-Type: application/sdp\r\n\r\n" + OFFER
B = "multipart/mixed;boundary=b1"


def mixed(*parts: bytes, boundary: bytes = b"b1", end: bytes = b"--") -> bytes:
    marks = b"".join(b"\r\n--" + boundary + b"\r\n" + part for part in parts)
    return b"for old readers" + marks + b"\r\n--" + boundary + end + b"\r\nand the rest"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/sdp", OFFER),
        ("Application / SDP ;charset=utf-8", OFFER),
        (B, mixed(OURS)),
        (B, mixed(ISUP, OURS)),
        (B, mixed(OURS, ISUP)),
        (B, mixed(OURS, OURS.replace(b"offer", b"other"))),
        (B, mixed(OURS)[len(b"for old readers\r\n") :]),
        (B, mixed(OURS).replace(b"--b1--", b"--b1--  \t")),
        (B, mixed(b"c:application/sdp\r\nContent-Disposition: session\r\n\r\n" + OFFER)),
        (B, mixed(OURS.replace(b"n/sdp", b"n/sdp\r\nContent-Transfer-Encoding: 8bit"))),
        ('Multipart/Mixed ; charset=x; Boundary="b 1,;\'"', mixed(OURS, boundary=b"b 1,;'")),
        ("multipart/alternative;boundary=b1", mixed(OURS.replace(b"offer", b"worse"), OURS, ISUP)),
        (
            "multipart/mixed;boundary=b",
            mixed(
                b'Content-Type: multipart/related; boundary="b1"\r\n\r\n' + mixed(ISUP, OURS),
                boundary=b"b",
            ),
        ),
    ],
)
def test_the_description_is_found(kind: str, body: bytes) -> None:
    assert description_in(kind, body) == OFFER


def test_a_body_may_have_bare_line_feeds_and_no_end() -> None:
    assert description_in(B, b"--b1\nContent-Type: application/sdp\n\nv=0\nx") == b"v=0\nx"
    assert description_in(B, mixed(OURS, end=b"")) == OFFER


def nested(depth: int) -> tuple[str, bytes]:
    kind, body = "application/sdp", OFFER
    for number in range(depth):
        body = mixed(f"Content-Type: {kind}\r\n\r\n".encode() + body, boundary=b"n%d" % number)
        kind = f"multipart/mixed;boundary=n{number}"
    return kind, body


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("", OFFER),
        ("text/plain", OFFER),
        ("multipart/mixed", mixed(OURS)),
        ("multipart/mixed;boundary", mixed(OURS)),
        (f"multipart/mixed;boundary={'b' * 71}", mixed(OURS, boundary=b"b" * 71)),
        (B, b""),
        (B, b"--b1"),
        (B, OFFER),
        (B, mixed(ISUP)),
        (B, mixed(b"\r\n" + OFFER)),  # without a type it is text
        (B, mixed(b"Content-Type: application/sdp")),
        (B, mixed(b"Content-Disposition: early-session\r\n" + OURS)),
        (B, mixed(b"Content-Transfer-Encoding: base64\r\n" + OURS)),
        (B, mixed(b"Content-Encoding: gzip\r\n" + OURS)),
        (B, mixed(*[ISUP] * MOST_PARTS, OURS)),
        nested(MOST_DEPTH + 1),
    ],
)
def test_what_is_no_description_or_none_for_us_is_not_taken(kind: str, body: bytes) -> None:
    assert not description_in(kind, body)


def test_bodies_in_bodies_are_opened_so_deep() -> None:
    assert description_in(*nested(MOST_DEPTH)) == OFFER


def test_only_a_part_that_says_so_has_to_be_understood() -> None:
    must = b"Content-Disposition: signal ; handling = Required\r\n"
    assert demands_more(B, mixed(OURS, must + ISUP))
    assert not demands_more(B, mixed(must + OURS, ISUP))
    assert not demands_more("application/sdp", must)


@given(st.binary(max_size=200), st.binary(max_size=20), st.sampled_from([b"b1", b"b", b""]))
def test_any_bytes_are_cut_into_a_bounded_number_of_parts(
    noise: bytes, between: bytes, boundary: bytes
) -> None:
    body = noise + (b"\r\n--" + boundary + between).join([noise] * 30)
    assert len(parts_of(B, body)) <= MOST_PARTS
    description_in(B, body)
    demands_more(B, body)


# --- in a call


def test_a_call_with_isup_beside_the_offer_is_a_call() -> None:
    wire, agent, peer = pair()
    invite = request("INVITE", peer, agent, body=mixed(OURS, ISUP)).with_header("Content-Type", B)
    say(peer, agent, invite)
    assert only(agent.take(), IncomingInvite).body == OFFER


def test_a_call_with_isup_that_has_to_be_understood_gets_415() -> None:
    wire, agent, peer = pair()
    must = b"Content-Disposition: signal;handling=required\r\n" + ISUP
    invite = request("INVITE", peer, agent, body=mixed(OURS, must)).with_header("Content-Type", B)
    say(peer, agent, invite)
    refusal = peer.last_response("415 INVITE")
    assert refusal.header("Accept") == "application/sdp, multipart/mixed"
    assert agent.take() == []


def test_an_answer_may_have_isup_beside_it() -> None:
    wire, agent, peer = pair()
    call(agent, peer)
    wire.clock.run(0.0)
    theirs = b"Content-Type: application/sdp\r\n\r\n" + ANSWER
    sent = peer.last_request("INVITE").reply(
        200,
        to_tag="theirs",
        headers=[("Contact", f"<sip:{peer.address}>"), ("Content-Type", B)],
        body=mixed(theirs, ISUP),
    )
    say(peer, agent, sent)
    assert only(agent.take(), Answered).body == ANSWER


def test_the_200_to_such_a_call_is_plain() -> None:
    wire, agent, peer = pair()
    invite = request("INVITE", peer, agent, body=mixed(ISUP, OURS)).with_header("Content-Type", B)
    say(peer, agent, invite)
    incoming(agent).answer(ANSWER, wire.now)
    agent.collect()
    wire.clock.run(0.0)
    assert peer.last_response("200 INVITE").content_type == "application/sdp"
