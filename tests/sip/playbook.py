"""What the stories of this folder say and ask, in few words."""

from collections.abc import Callable
from itertools import count
from typing import TypeVar

from hypothesis import HealthCheck, settings

from applet.sip.digest import Credentials
from applet.sip.events import Event, IncomingInvite
from applet.sip.first_request import Sender
from applet.sip.headers import NameAddr
from applet.sip.hop import Transport
from applet.sip.invite import InviteSession, OfferState, SessionState
from applet.sip.message import Request, Response
from applet.sip.uri import SipUri
from tests.support.wire import Agent, Node, Peer, Wire

OFFER = b"v=0\r\ns=offer\r\n"
ANSWER = b"v=0\r\ns=answer\r\n"
SDP = ("Content-Type", "application/sdp")
ANY_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For property tests: that a machine is busy is no mistake of ours."""
E = TypeVar("E", bound=Event)

_branches = count(1)


def uri_of(node: Node, user: str = "desk", **params: str | None) -> SipUri:
    return SipUri.of(user, node.address.host, node.address.port, **params)


def call(
    agent: Agent,
    target: Node | SipUri,
    body: bytes | None = OFFER,
    *,
    route: tuple[SipUri, ...] = (),
    credentials: Credentials | None = None,
    transport: Transport | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> InviteSession:
    """`agent` calls `target`."""
    session = agent.endpoint.invite(
        target if isinstance(target, SipUri) else uri_of(target),
        Sender(
            NameAddr("Caller", uri_of(agent, "caller")), "caller", route, credentials, transport
        ),
        body=body,
        now=agent.wire.now,
        headers=headers,
    )
    agent.collect()
    return session


def do(agent: Agent, verb: Callable[..., None], *arguments: object) -> None:
    """A verb of a session, with the time as its last argument."""
    verb(*arguments, agent.wire.now)
    agent.collect()


def only(events: list[Event], kind: type[E]) -> E:
    """The one event of this kind."""
    found = [event for event in events if type(event) is kind]
    assert len(found) == 1, events
    event = found[0]
    assert isinstance(event, kind)
    return event


def kinds(agent: Agent) -> list[str]:
    """The names of the events since the last time."""
    return [type(event).__name__ for event in agent.take()]


def incoming(agent: Agent) -> InviteSession:
    """The session of the call that just came in."""
    return only(agent.take(), IncomingInvite).session


def state(session: InviteSession) -> SessionState:
    """Asked by a function, because mypy holds on to what an attribute was in the line before."""
    return session.state


def offer_state(session: InviteSession) -> OfferState:
    return session.offer_state


def assert_empty(agent: Agent) -> None:
    """Once all time has passed, nothing is left of anything."""
    agent.wire.clock.run_out()
    core = agent.endpoint._core
    assert len(core.transactions) == 0 and core.transactions._merging == {}
    assert len(core.timers) == 0
    assert core.dialogs == {} and core.busy == set()
    assert len(core.locator) == 0
    assert agent.endpoint.quiet and agent.endpoint.transactions == 0
    assert agent.endpoint.next_timer() is None


# --- the scripted peer as the called side


def reply(
    peer: Peer,
    request: Request,
    status: int,
    body: bytes = b"",
    *,
    tag: str = "theirs",
    headers: tuple[tuple[str, str], ...] = (),
    contact: str | None = None,
) -> Response:
    """A response of `peer`, with a Contact and, if there is a body, its type."""
    more = [("Contact", contact or f"<{uri_of(peer)}>"), *headers]
    if body:
        more.append(SDP)
    return request.reply(status, to_tag=tag, headers=more, body=body)


def answer(
    peer: Peer,
    agent: Agent,
    status: int,
    body: bytes = b"",
    *,
    tag: str = "theirs",
    method: str = "INVITE",
    headers: tuple[tuple[str, str], ...] = (),
    contact: str | None = None,
) -> Response:
    """Answer the newest `method` and let it arrive."""
    request = peer.last_request(method)
    response = reply(peer, request, status, body, tag=tag, headers=headers, contact=contact)
    peer.send(response, agent)
    agent.wire.clock.run(0.0)
    return response


# --- the scripted peer as the calling side


def request(
    method: str,
    peer: Peer,
    agent: Agent,
    *,
    call_id: str = "call",
    cseq: int = 1,
    branch: str | None = None,
    from_tag: str = "theirs",
    to_tag: str = "",
    body: bytes = b"",
    headers: tuple[tuple[str, str], ...] = (),
    via: str = "",
    transport: str = "UDP",
    contact: str | None = None,
) -> Request:
    """A request of `peer` to `agent`, inside a dialog if there is a `to_tag`."""
    branch = branch or f"z9hG4bKpeer{next(_branches)}"
    to = f"<sip:phone@{agent.address.host}>" + (f";tag={to_tag}" if to_tag else "")
    lines = [
        ("Via", f"SIP/2.0/{transport} {peer.address};branch={branch}{via}"),
        ("Max-Forwards", "70"),
        ("From", f'"Them" <sip:them@{peer.address.host}>;tag={from_tag}'),
        ("To", to),
        ("Call-ID", call_id),
        ("CSeq", f"{cseq} {method}"),
        *headers,
    ]
    if method in ("INVITE", "OPTIONS"):
        lines.append(("Contact", contact or f"<{uri_of(peer, 'them')}>"))
    if body:
        lines.append(SDP)
    return Request(method, uri_of(agent, "phone"), lines, body)


def say(peer: Peer, agent: Agent, message: Request | Response | bytes) -> None:
    """Send it and let it arrive."""
    peer.send(message, agent)
    agent.wire.clock.run(0.0)


def within(
    method: str,
    peer: Peer,
    agent: Agent,
    session: InviteSession,
    *,
    cseq: int,
    body: bytes = b"",
    headers: tuple[tuple[str, str], ...] = (),
    contact: str | None = None,
) -> Request:
    """`peer` says something inside the dialog of `session` and it arrives."""
    assert session.dialog is not None
    message = request(
        method,
        peer,
        agent,
        call_id=session.call_id,
        cseq=cseq,
        from_tag=session.dialog.remote.tag or "",
        to_tag=session.dialog.local.tag or "",
        body=body,
        headers=headers,
        contact=contact,
    )
    say(peer, agent, message)
    return message


def pair(wire: Wire | None = None) -> tuple[Wire, Agent, Peer]:
    """A phone and a scripted peer."""
    wire = wire or Wire()
    return wire, Agent(wire, "192.0.2.1"), Peer(wire, "192.0.2.2")


def established_out(wire: Wire | None = None) -> tuple[Wire, Agent, Peer, InviteSession]:
    """The phone has called and was answered."""
    wire, agent, peer = pair(wire)
    session = call(agent, peer)
    wire.clock.run(wire.delay)
    answer(peer, agent, 200, ANSWER)
    wire.clock.run(2 * wire.delay)
    agent.take()
    return wire, agent, peer, session


def established_in(wire: Wire | None = None) -> tuple[Wire, Agent, Peer, InviteSession]:
    """The phone was called and has answered."""
    wire, agent, peer = pair(wire)
    say(peer, agent, request("INVITE", peer, agent, body=OFFER))
    session = incoming(agent)
    do(agent, session.answer, ANSWER)
    wire.clock.run(0.0)
    within("ACK", peer, agent, session, cseq=1)
    agent.take()
    return wire, agent, peer, session
