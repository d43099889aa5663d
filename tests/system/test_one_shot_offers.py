"""One offer each, live: what our answer says to it, or that it is refused with a reason. They are
those of RFC 4317, and what was seen of telephone systems."""

import re
import socket
from collections.abc import Iterator
from contextlib import closing
from itertools import count

import pytest

from tests.support.headless import Headless

LIMIT_S = 5.0
_numbers = count(1)


def sdp(*media: str, connection: str = "IN IP4 127.0.0.1", time: str = "0 0") -> str:
    head = ["v=0", "o=them 1 1 IN IP4 127.0.0.1", "s=-", f"c={connection}", f"t={time}"]
    return "".join(f"{line}\r\n" for line in (*head, *media))


AUDIO = "m=audio 29000 RTP/AVP 0"
EVENTS = "a=rtpmap:101 telephone-event/8000"
ISUP = "--b\r\nContent-Type: application/isup\r\n\r\nx\r\n"
AMONG_PARTS = f"{ISUP}--b\r\nContent-Type: application/sdp\r\n\r\n{sdp(AUDIO)}--b--\r\n"

ANSWERED = {
    "a number without rtpmap": (sdp(AUDIO), ["audio + RTP/AVP 0"], "sendrecv"),
    "PCMU by another number": (
        sdp("m=audio 29000 RTP/AVP 99", "a=rtpmap:99 PCMU/8000"),
        ["audio + RTP/AVP 99"],
        "sendrecv",
    ),
    "their order, speech first": (
        sdp("m=audio 29000 RTP/AVP 101 8 0", EVENTS),
        ["audio + RTP/AVP 8 0 101"],
        "sendrecv",
    ),
    "codecs and video (RFC 4317 section 2.1)": (
        sdp("m=audio 29000 RTP/AVP 0 8 97", "a=rtpmap:97 iLBC/8000", "m=video 29002 RTP/AVP 31 32"),
        ["audio + RTP/AVP 0 8", "video 0 RTP/AVP 31"],
        "sendrecv",
    ),
    "events by themselves (RFC 4317 section 3.2)": (
        sdp(AUDIO, "m=audio 29002 RTP/AVP 101", EVENTS, "a=sendonly"),
        ["audio + RTP/AVP 0", "audio 0 RTP/AVP 101"],
        "sendrecv",
    ),
    "the first stream is off (RFC 4317 section 4.3)": (
        sdp("m=audio 0 RTP/AVP 0", "m=audio 29002 RTP/AVP 8"),
        ["audio 0 RTP/AVP 0", "audio + RTP/AVP 8"],
        "sendrecv",
    ),
    "no stream yet (RFC 4317 section 5.1)": (sdp(), [], ""),
    "no address yet (RFC 4317 section 5.2)": (
        sdp(AUDIO, connection="IN IP4 0.0.0.0"),
        ["audio + RTP/AVP 0"],
        "recvonly",
    ),
    "held from the beginning": (sdp("a=sendonly", AUDIO), ["audio + RTP/AVP 0"], "recvonly"),
    "secure or plain": (
        sdp("m=audio 29000 RTP/SAVP 0", "a=crypto:1 x inline:y", "m=audio 29002 RTP/AVP 0"),
        ["audio 0 RTP/SAVP 0", "audio + RTP/AVP 0"],
        "sendrecv",
    ),
    "with feedback": (sdp("m=audio 29000 RTP/AVPF 0"), ["audio + RTP/AVPF 0"], "sendrecv"),
    "fax, chat and data": (
        sdp("m=image 29004 udptl t38", AUDIO, "m=message 29006 TCP/MSRP *"),
        ["image 0 udptl t38", "audio + RTP/AVP 0", "message 0 TCP/MSRP *"],
        "sendrecv",
    ),
    "among other parts": (AMONG_PARTS, ["audio + RTP/AVP 0"], "sendrecv"),
}

REFUSED = {
    "codecs of others": sdp("m=audio 29000 RTP/AVP 18 3"),
    "keys and nothing to say": sdp("m=audio 29000 RTP/AVP 101", EVENTS),
    "secure only": sdp("m=audio 29000 RTP/SAVP 0"),
    "an unknown profile": sdp("m=audio 29000 FOO/BAR 0"),
    "fax only": sdp("m=image 29004 udptl t38"),
    "an address of the other family": sdp(AUDIO, connection="IN IP6 ::1"),
    "an address that is a name": sdp(AUDIO, connection="IN IP4 media.invalid"),
    "noise": "v=0\r\nblah\r\n",
}


@pytest.fixture(scope="module")
def phone() -> Iterator[Headless]:
    with Headless("--answer", "auto", "--accept-any-user") as started:
        yield started
        assert started.quit() == 0
        assert not any("unexpected" in line for line in started.errors), started.transcript()


class Caller:
    """Calls by UDP, with one offer."""

    def __init__(self, phone: Headless) -> None:
        host, _, port = phone.address.rpartition(":")
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(LIMIT_S)
        self._socket.connect((host, int(port)))
        self._us = "{}:{}".format(*self._socket.getsockname())
        self._phone = phone.address
        self._number = next(_numbers)
        self._to = f"<sip:desk@{phone.address}>"

    def call(self, body: str) -> str:
        """The final response."""
        answer = self._ask("INVITE", 1, body)
        tag = re.search(r"(?m)^To: .*;tag=(\S+)", answer)
        assert tag is not None
        self._to += f";tag={tag[1]}"
        return answer

    def hang_up(self) -> None:
        self._send("ACK", 1)
        assert self._ask("BYE", 2).startswith("SIP/2.0 200")

    def _ask(self, method: str, cseq: int, body: str = "") -> str:
        self._send(method, cseq, body)
        while True:
            answer = self._socket.recv(65536).decode()
            if f"CSeq: {cseq} {method}" in answer and not answer.startswith("SIP/2.0 1"):
                return answer

    def _send(self, method: str, cseq: int, body: str = "") -> None:
        kind = "multipart/mixed;boundary=b" if body.startswith("--") else "application/sdp"
        lines = [
            f"{method} sip:desk@{self._phone} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._us};branch=z9hG4bK{self._number}{method};rport",
            "Max-Forwards: 70",
            f"From: <sip:them@{self._us}>;tag=t{self._number}",
            f"To: {self._to}",
            f"Call-ID: one-shot-{self._number}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:them@{self._us}>",
            *([f"Content-Type: {kind}"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self._socket.send(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize("name", ANSWERED)
def test_an_offer_gets_an_answer_that_fits_it_line_by_line(phone: Headless, name: str) -> None:
    offer, media, direction = ANSWERED[name]
    with closing(Caller(phone)) as caller:
        answer = caller.call(offer)
        assert answer.startswith("SIP/2.0 200"), answer
        caller.hang_up()
    lines = re.findall(r"(?m)^m=(.*)\r$", answer)
    assert [re.sub(r" [1-9]\d* ", " + ", line, count=1) for line in lines] == media
    assert re.findall(r"(?m)^a=(sendrecv|sendonly|recvonly|inactive)\r$", answer) == (
        [direction] if direction else []
    )


@pytest.mark.parametrize("name", REFUSED)
def test_an_offer_that_leads_to_no_call_is_refused_with_a_reason(
    phone: Headless, name: str
) -> None:
    with closing(Caller(phone)) as caller:
        answer = caller.call(REFUSED[name])
    assert answer.startswith("SIP/2.0 488") and "\r\nWarning: 3" in answer, answer
