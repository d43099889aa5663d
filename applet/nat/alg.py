"""Is there a SIP ALG on the way? Judged from one request of ours and what has come back of it.

A router with an Application Layer Gateway writes its outer address into our SIP and puts the
answers right again. Then the server's `received` reads as *our private* address, though a STUN
server sees another one: certain proof, with no help from the server. A bad ALG forgets the
answers, or half of the request. A server that returns the request as it got it
(`message/sipfrag`, RFC 3420) shows every line.
"""

from __future__ import annotations

from applet.address import Address
from applet.enums import Enum
from applet.nat.hosts import is_public
from applet.value import NamedTuple


class Alg(Enum):
    """Whether something on the way rewrites our SIP."""

    UNKNOWN = "unknown"
    ABSENT = "absent"
    WORKS = "works"
    BROKEN = "broken"


class Answered(NamedTuple):
    """Of a request with `sent` in its Via: what stands in the answer's topmost Via, and which of
    our headers the server's echo shows changed (empty: none, or it gives no echo); `echoed` is
    the host that it shows in Contact instead of ours."""

    sent: Address
    via: Address
    received: str | None
    rport: int | None
    changed: tuple[str, ...] = ()
    echoed: str = ""

    @property
    def seen(self) -> Address | None:
        """Where the server saw the request come from."""
        if self.received is None and self.rport is None:
            return None
        return Address(self.received or self.via.host, self.rport or self.via.port)


class Verdict(NamedTuple):
    """`proof`: a clause for people, without a full stop."""

    alg: Alg
    proof: str


UNJUDGED = Verdict(Alg.UNKNOWN, "")


def judge(answer: Answered, local: str, mapped: Address | None) -> Verdict:
    """`local`: our own IP; `mapped`: what a STUN server sees of us, if one has answered."""
    if answer.via != answer.sent:
        return Verdict(
            Alg.BROKEN, "Your router rewrote our Via header and left the answer so (broken SIP ALG)"
        )
    if answer.changed:
        return _judge_echo(answer)
    if mapped is None or answer.received is None:
        return UNJUDGED
    if answer.received == local and mapped.host != local:
        return Verdict(
            Alg.WORKS,
            f"The server's answer says it saw us at our private address {answer.received}, "
            f"though the world sees {mapped.host}: your router rewrites our SIP (SIP ALG)",
        )
    return Verdict(Alg.ABSENT, "")


def _judge_echo(answer: Answered) -> Verdict:
    lines = " and ".join(answer.changed)
    if not {"Via", "Contact"} <= set(answer.changed):
        return Verdict(Alg.BROKEN, f"Your router rewrote only our {lines} (broken SIP ALG)")
    if answer.echoed and not is_public(answer.echoed):
        return Verdict(
            Alg.BROKEN,
            f"Your router rewrote our {lines} to an address that is private too "
            "(SIP ALG behind a second router)",
        )
    return Verdict(Alg.WORKS, f"Your router rewrote our {lines} header (SIP ALG)")
