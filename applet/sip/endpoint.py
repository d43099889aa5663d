"""The SIP endpoint: bytes and `now` in; bytes, deadlines and events out (RFC 3261).

    datagram or stream -> parser -> transactions -> dialogs -> sessions -> events
    verbs -> sessions, registrations -> requests -> look-up -> transactions -> transport -> bytes

Here is the way of what comes in. What goes out is `client_request`, and the answers that need
nobody's decision are below.
"""

from __future__ import annotations

from zlib import crc32

from applet.hints import TYPE_CHECKING
from applet.sip.core import Core, EndpointConfig, Incoming
from applet.sip.events import EndedBy, Event, Trace
from applet.sip.first_request import Sender, first_request
from applet.sip.grammar import MessageError
from applet.sip.hop import Datagram, Hop, Transport
from applet.sip.message import Request, Response, check_response
from applet.sip.parser import parse
from applet.sip.registration import Registration
from applet.sip.transport import note_source
from applet.sip.uas import ALLOW, Headers, RefusedError, capabilities, insisted, inspect
from applet.sip.uri import SipUri
from applet.stun_frame import is_stun

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.address import Address
    from applet.randomness import Randomness
    from applet.sip.invite import InviteSession
    from applet.sip.records import Question, Value
    from applet.sip.services import Services

__all__ = ["Endpoint", "EndpointConfig"]


class Endpoint:
    """One user agent: transports, transactions, dialogs and sessions; no socket and no clock.

    `local_ip_for(host)` names our own IP towards an IP literal, for transports that are bound to
    a wildcard; it must be quick and must not block.
    `availability`: what an INVITE from a stranger would get now, and so OPTIONS does (section
    11.2): 200, or 486 while we are busy, or 480.
    """

    __slots__ = ("_core", "_services", "availability")

    def __init__(
        self, config: EndpointConfig, random: Randomness, local_ip_for: Callable[[str], str]
    ) -> None:
        self._core = Core(config, random, local_ip_for)
        self._services: Services | None = None
        self.availability = 200

    @property
    def services(self) -> Services:
        """Imported with the first call or text, and not with the program: a fifth of the start."""
        if self._services is None:
            from applet.sip.services import Services

            self._services = Services(self._core)
        return self._services

    def set_local(self, transport: Transport, address: Address) -> None:
        """Tell where a transport is bound (0.0.0.0 and :: are wildcards). Do this first."""
        self._core.transport.set_local(transport, address)

    def set_advertised(self, transport: Transport, address: Address | None) -> None:
        """What Via and Contact show instead of our own address, behind a NAT."""
        self._core.transport.set_advertised(transport, address)

    def set_seen(self, transport: Transport, remote: Address, seen: Address | None) -> bool:
        """How the element at `remote` sees us; towards it Via and Contact show this. None: what
        they show towards everybody."""
        return self._core.transport.set_seen(transport, remote, seen)

    def local_address(self, hop: Hop) -> Address:
        """What Via and Contact show towards this hop."""
        return self._core.transport.local_address(hop)

    def forget_servers(self) -> None:
        """The network is another one: look for the servers again, the dead ones too."""
        self._core.locator.forget()
        self._core.penalties.clear()

    # --- bytes in

    def receive_datagram(self, data: bytes, source: Address, now: float) -> None:
        """One UDP datagram. Nothing but line breaks keeps a NAT binding alive, and says nothing."""
        if not data.strip(b"\r\n\0"):
            return
        if is_stun(data):
            self._core.keep_alive.receive_stun(data, source, now)
            return
        hop = Hop(Transport.UDP, source)
        self._core.emit(Trace(False, data, hop))
        try:
            message = parse(data)
        except MessageError as error:
            self._refuse_broken(error, hop)
        else:
            self._receive(message, hop, now)

    def receive_stream(self, flow: int, data: bytes, now: float) -> None:
        """Bytes of a TCP connection, in any pieces."""
        for message in self._core.transport.feed(flow, data, now):
            hop = self._core.transport.source_of(flow)
            if isinstance(message, MessageError):
                self._refuse_broken(message, hop)
            else:
                self._core.emit(Trace(False, message.encode(), hop))
                self._receive(message, hop, now)

    def connection_opened(self, hop: Hop, now: float) -> None:
        """A connection stands, opened by them or (after a Datagram without flow) by us, and what
        TLS had to prove is proved. `hop` has its flow."""
        self._core.transport.opened(hop)

    def connection_closed(self, flow: int, now: float) -> None:
        """It is gone, by whomever."""
        hop = self._core.transport.closed(flow)
        if hop is not None:
            self._core.transactions.flow_lost(hop, now)
            self._core.keep_alive.lost(hop, now)

    def connection_failed(self, hop: Hop, now: float, by: EndedBy = EndedBy.TRANSPORT) -> None:
        """Nothing can be sent there: connect failed, or ICMP said so; or `by` says what was wrong
        with their certificate."""
        self._core.transactions.hop_failed(hop, by, now)
        self._core.keep_alive.lost(hop, now)

    def looked_up(self, question: Question, answers: tuple[Value, ...], now: float) -> None:
        """The answer to `LookupNeeded`; empty: there is none."""
        self._core.locator.answered(question, answers, now)

    # --- bytes, deadlines and events out

    def datagrams_to_send(self) -> list[Datagram]:
        return self._core.transport.datagrams_to_send()

    def flows_to_close(self) -> list[int]:
        """Connections whose framing is lost, or of which there are too many: close them, and tell
        by `connection_closed`."""
        return self._core.transport.flows_to_close()

    def next_timer(self) -> float | None:
        return self._core.timers.next()

    def handle_timers(self, now: float) -> None:
        self._core.timers.fire(now)

    def events(self) -> list[Event]:
        return self._core.take_events()

    @property
    def quiet(self) -> bool:
        """No session, registration or request waits for an answer: stopping now is polite."""
        return not self._core.busy

    @property
    def transactions(self) -> int:
        """How many are remembered; each ends by itself, 32 s after its last message at most."""
        return len(self._core.transactions)

    # --- verbs

    def invite(
        self,
        target: SipUri,
        sender: Sender,
        *,
        body: bytes | None,
        now: float,
        headers: Headers = (),
        to: SipUri | None = None,
    ) -> InviteSession:
        """Call `target`. `body` is our offer; None calls without one. `to`: who was called before
        somebody sent us to `target`."""
        core = self._core
        lines = [*headers, ALLOW, *insisted(core.config, bool(body))]
        lines.append(("User-Agent", core.config.user_agent))
        if body:
            lines.append(("Content-Type", "application/sdp"))
        uri = target.address_only()
        request = first_request("INVITE", uri, to or target, sender, core, lines, body or b"")
        session = self.services.session(
            request,
            outgoing=True,
            contact_user=sender.contact_user,
            preferred=sender.transport,
            authenticator=sender.authenticator(core),
        )
        session.call(sender.way(target), now)
        return session

    def register(
        self, registrar: SipUri, sender: Sender, *, expires: int, now: float
    ) -> Registration:
        """Bind our Contact to the address of record `sender.local`, for `expires` seconds each
        time."""
        core = self._core
        lines = [ALLOW, ("Supported", "path"), ("User-Agent", core.config.user_agent)]
        domain = registrar.address_only()._replace(user="", password=None)
        request = first_request("REGISTER", domain, sender.local.uri, sender, core, lines)
        registration = Registration(
            core,
            request,
            sender.way(registrar),
            contact_user=sender.contact_user,
            expires=expires,
            authenticator=sender.authenticator(core),
        )
        registration.register(now)
        return registration

    def ping(
        self,
        target: SipUri,
        sender: Sender,
        *,
        limit: float,
        now: float,
        name: str = "",
        headers: Headers = (),
    ) -> None:
        """Send an OPTIONS to `target`; `Pinged` follows within `limit` seconds."""
        from applet.sip.ping import Ping  # not needed where no router is in between

        core = self._core
        lines = [*headers, ALLOW, ("User-Agent", core.config.user_agent)]
        request = first_request("OPTIONS", target.address_only(), target, sender, core, lines)
        Ping(core, request, sender.way(target), sender.contact_user, name).send(limit, now)

    # --- the way of what comes in

    def _receive(self, message: Request | Response, hop: Hop, now: float) -> None:
        try:
            if isinstance(message, Response):
                check_response(message)
                self._receive_response(message, hop, now)
            elif message.method == "ACK":
                self._receive_ack(message, now)
            else:
                self._receive_request(message, hop, now)
        except MessageError as error:
            self._refuse_broken(error, hop)

    def _receive_response(self, response: Response, hop: Hop, now: float) -> None:
        """What nobody asked for is dropped, and nothing is learnt from it: anybody can say that
        our server sees us at his address."""
        core, via = self._core, response.top_via
        transaction = core.transactions.client_of(response)
        if transaction is not None:
            core.transport.learn(via, hop)
            core.keep_alive.learn(via, hop)
            transaction.receive(response, now)
            core.transport.look_again(via, hop)

    def _receive_ack(self, ack: Request, now: float) -> None:
        """To a final response below 300 it belongs to the dialog, else to the transaction
        (section 17.1.1.3); it is never answered."""
        core = self._core
        transaction = core.transactions.server_of(ack)
        if transaction is not None:
            transaction.receive_ack(ack, now)
            return
        user = core.dialogs.get((ack.call_id, ack.to.tag or "", ack.from_.tag or ""))
        if user is not None:
            user.on_ack(ack, now)

    def _receive_request(self, request: Request, hop: Hop, now: float) -> None:
        """Raises MessageError for what is refused without remembering it: a repetition gets the
        same answer again (section 8.2.7)."""
        core = self._core
        inspect(request, core.config)
        known = core.transactions.server_of(request)
        if known is not None:
            known.receive_again(now)
        elif request.method == "CANCEL":
            self._receive_cancel(request, hop, now)
        elif request.to.tag is not None:
            user = core.dialogs.get((request.call_id, request.to.tag, request.from_.tag or ""))
            user = user or core.subscriptions.get((request.call_id, request.to.tag))
            if user is None:
                raise RefusedError(481, partial=request)
            self._check_room(request, 2)  # a running call has room when strangers have none
            user.on_request(self._begin(request, hop, core.new_tag(), now), now)
        elif request.method == "OPTIONS":
            headers = capabilities(core.config)
            self._answer_once(request, hop, self.availability, headers=headers)
        elif core.transactions.is_merged(request):
            raise RefusedError(482, partial=request)
        else:
            self._check_room(request, 1)
            self._receive_first(self._begin(request, hop, core.new_tag(), now), now)

    def _check_room(self, request: Request, share: int) -> None:
        """Raises RefusedError (503) when too much is remembered."""
        config, transactions = self._core.config, self._core.transactions
        full = len(transactions) >= share * config.max_transactions
        if full or transactions.held >= share * config.max_held:
            raise RefusedError(503, (("Retry-After", "5"),), partial=request)

    def _receive_cancel(self, cancel: Request, hop: Hop, now: float) -> None:
        """Section 9.2: answered with the tag that the INVITE's answers have."""
        invite = self._core.transactions.cancelled_by(cancel)
        if invite is None:
            raise RefusedError(481, partial=cancel)
        self._begin(cancel, hop, invite.to_tag, now).respond(200, now)
        invite.cancel(cancel, now)

    def _begin(self, request: Request, hop: Hop, to_tag: str, now: float) -> Incoming:
        """Remember a new request, so that its repetitions get the same answer."""
        note_source(request, hop.address)
        respond = self._core.transport.responder(request, hop)
        transactions = self._core.transactions
        return Incoming(request, transactions.begin_server(request, hop, respond, to_tag, now), hop)

    def _receive_first(self, incoming: Incoming, now: float) -> None:
        """A request outside every dialog."""
        core, request = self._core, incoming.request
        if request.method == "INVITE":
            assert isinstance(request.uri, SipUri)  # `inspect` has refused everything else
            user = core.config.users[0] if core.config.users else request.uri.user_unescaped
            session = self.services.session(request, outgoing=False, contact_user=user)
            session.receive_call(incoming, now)
        elif request.method in self.services.outside:
            self.services.outside[request.method](incoming, now)
        else:
            incoming.respond(481, now)  # BYE to nothing

    def _refuse_broken(self, error: MessageError, hop: Hop) -> None:
        """Value what cannot be served, as far as it can be read, and remember nothing of it."""
        request = error.partial
        if request is None or request.method == "ACK":
            return
        if isinstance(error, RefusedError):
            self._answer_once(request, hop, error.status, headers=error.headers)
        else:
            self._answer_once(request, hop, error.status, error.text)

    def _answer_once(
        self, request: Request, hop: Hop, status: int, reason: str = "", headers: Headers = ()
    ) -> None:
        """Section 8.2.7: remember nothing; a repetition is answered anew and with the same tag."""
        note_source(request, hop.address)
        tag = f"{crc32(request.encode()):08x}"
        reply = request.reply(status, reason, to_tag=tag, headers=headers)
        self._core.transport.responder(request, hop)(reply.encode())
