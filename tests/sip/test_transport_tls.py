"""TLS as the endpoint sees it: which connection, and whom it must prove (RFC 5922, RFC 3261
section 26)."""

from applet.address import Address
from applet.sip.events import IncomingInvite
from applet.sip.first_request import Sender
from applet.sip.headers import NameAddr
from applet.sip.hop import Hop, Transport
from applet.sip.transport import MAX_FLOWS
from applet.sip.uri import SipUri
from tests.sip.playbook import ANSWER, OFFER, only, pair, request, uri_of
from tests.support.wire import Agent


def tls(agent: Agent) -> None:
    agent.endpoint.set_local(Transport.TLS, Address("192.0.2.1", 5061))


def send_call(agent: Agent, target: SipUri) -> Hop:
    """Where the INVITE to `target` goes."""
    sender = Sender(NameAddr("", uri_of(agent, "me")), "me")
    agent.endpoint.invite(target, sender, body=None, now=0.0)
    (datagram,) = agent.endpoint.datagrams_to_send()
    return datagram.hop


def test_a_tls_connection_is_used_again_for_the_same_name_only() -> None:
    _, agent, peer = pair()
    tls(agent)
    stands = Hop(Transport.TLS, Address("192.0.2.2", 5061), 3, "192.0.2.2")
    agent.endpoint.connection_opened(stands, 0.0)
    assert send_call(agent, SipUri.of("x", "192.0.2.2", transport="tls")).flow == 3
    other = SipUri.of("x", "other.example", transport="tls", maddr="192.0.2.2")
    hop = send_call(agent, other)
    assert (hop.flow, hop.identity) == (None, "other.example")


def test_a_proxy_that_names_itself_by_address_proves_the_name_that_it_proved_before() -> None:
    _, agent, peer = pair()
    tls(agent)
    proxy = Hop(Transport.TLS, Address("192.0.2.2", 5061), 3, "pbx.example")
    by_address = SipUri.of("x", "192.0.2.2", transport="tls")
    assert send_call(agent, by_address).identity == "192.0.2.2"
    agent.endpoint.connection_opened(proxy, 0.0)
    assert send_call(agent, by_address) == proxy
    agent.endpoint.connection_closed(3, 0.0)
    assert send_call(agent, by_address) == proxy._replace(flow=None)


def test_what_was_proved_is_remembered_for_a_bounded_number_of_servers() -> None:
    _, agent, _ = pair()
    tls(agent)
    for flow in range(MAX_FLOWS + 1):
        proxy = Hop(Transport.TLS, Address(f"198.51.{flow // 250}.{flow % 250}", 5061), flow, "a.b")
        agent.endpoint.connection_opened(proxy, 0.0)
        agent.endpoint.connection_closed(flow, 0.0)
    assert send_call(agent, SipUri.of("", "198.51.0.0", transport="tls")).identity != "a.b"
    assert send_call(agent, SipUri.of("", "198.51.0.1", transport="tls")).identity == "a.b"


def test_a_caller_by_tls_gets_our_requests_on_its_own_connection() -> None:
    wire, agent, peer = pair()
    tls(agent)
    theirs = Hop(Transport.TLS, Address("192.0.2.2", 41000), 9)
    agent.endpoint.connection_opened(theirs, 0.0)
    contact = "<sips:them@192.0.2.2:5061>"
    invite = request("INVITE", peer, agent, body=OFFER, transport="TLS", contact=contact)
    invite = invite.replaced(uri=uri_of(agent, "phone")._replace(scheme="sips"))
    agent.endpoint.receive_stream(9, invite.encode(), 0.0)
    session = only(agent.endpoint.events(), IncomingInvite).session
    session.answer(ANSWER, 0.0)
    (answered,) = agent.endpoint.datagrams_to_send()
    assert answered.hop == theirs and b"Contact: <sips:phone@192.0.2.1:5061>" in answered.data
    ack = request("ACK", peer, agent, to_tag=session.local.tag or "", transport="TLS")
    agent.endpoint.receive_stream(9, ack.encode(), 0.0)
    session.hang_up(0.0)
    (bye,) = agent.endpoint.datagrams_to_send()
    assert bye.hop == theirs and bye.data.startswith(b"BYE")


def test_a_response_whose_tls_connection_is_gone_goes_to_whom_via_names() -> None:
    _, agent, peer = pair()
    tls(agent)
    agent.endpoint.connection_opened(Hop(Transport.TLS, Address("192.0.2.2", 41000), 9), 0.0)
    invite = request("INVITE", peer, agent, body=OFFER, transport="TLS")
    agent.endpoint.receive_stream(9, invite.encode(), 0.0)
    session = only(agent.endpoint.events(), IncomingInvite).session
    agent.endpoint.connection_closed(9, 0.0)
    session.reject(486, 0.0)
    (datagram,) = agent.endpoint.datagrams_to_send()
    assert datagram.hop == Hop(Transport.TLS, Address("192.0.2.2", 5060), None, "192.0.2.2")


def test_a_sips_call_goes_over_tls_although_the_proxy_is_a_sip_uri() -> None:
    _, agent, peer = pair()
    tls(agent)
    agent.endpoint.invite(
        SipUri.of("x", "example.com")._replace(scheme="sips"),
        Sender(NameAddr("", uri_of(agent, "me")), "me", (uri_of(peer, "", lr=None),)),
        body=None,
        now=0.0,
    )
    (datagram,) = agent.endpoint.datagrams_to_send()
    assert datagram.hop.transport is Transport.TLS
