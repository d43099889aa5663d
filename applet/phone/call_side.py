"""What happens to the calls of a phone, each on its way to the one that it is about: what the
person commands, what its session tells, and what the media thread answers."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.media.events import (
    ConsentLost,
    DigitReceived,
    DigitSent,
    Latched,
    MediaEvent,
    PathFound,
    SoundBack,
    SoundMissing,
)
from applet.phone import messages
from applet.phone.call_commands import carry_out
from applet.phone.hold import HoldMemory
from applet.phone.ice import ice_side
from applet.phone.negotiation import Negotiation
from applet.phone.orders import CloseMedia
from applet.phone.rescuer import Rescuer
from applet.phone.session_events import tell_call
from applet.sdp.offer_answer import OfferAnswer

if TYPE_CHECKING:
    from applet.address import Address
    from applet.nat.strategy import OpenedWay
    from applet.phone.call import Call
    from applet.phone.calls import Calls
    from applet.phone.config import PhoneConfig
    from applet.phone.network import Network
    from applet.phone.outbox import Outbox
    from applet.randomness import Randomness


class CallSide:
    """Made with the first call."""

    carry_out = staticmethod(carry_out)
    tell = staticmethod(tell_call)

    def __init__(
        self,
        config: PhoneConfig,
        random: Randomness,
        network: Network,
        calls: Calls,
        outbox: Outbox,
    ) -> None:
        self._config = config
        self._random = random
        self._network = network
        self._calls = calls
        self._outbox = outbox
        self._hold_memory = HoldMemory()

    def media_opened(self, call: int, opened: OpenedWay | None, now: float) -> None:
        """None: no sockets could be bound."""
        if opened is not None and self._config.nat.mode == "turn":
            opened = opened._replace(related=None, others=())  # nobody sees more of us
        wanted = self._calls.get(call)
        if wanted is None:
            # It was hung up while a STUN server was asked.
            self._outbox.order(CloseMedia(call))
            return
        if wanted.rescuer is not None and opened is not None:
            wanted.rescuer.way_opened(opened, now)
            return
        negotiation = None
        if opened is not None:
            wanted.rescuer = Rescuer(wanted, opened, self._network, self._outbox)
            negotiation = self._negotiation(wanted, opened)
            self._network.tell_way(opened.way, wanted.server)
        wanted.media_opened(negotiation, now)
        if wanted.session is not None:
            self._calls.bind(wanted, wanted.session)

    def media_moved(self, call: int, rtp: Address, rtcp: Address, now: float) -> None:
        wanted = self._calls.get(call)
        if wanted is not None and wanted.rescuer is not None:
            wanted.rescuer.mapping_moved(rtp, rtcp, now)

    def _negotiation(self, call: Call, opened: OpenedWay) -> Negotiation:
        ice = None if self._config.nat.mode == "none" else ice_side(self._random, opened)
        described = OfferAnswer(
            opened.rtp,
            opened.rtcp.port,
            self._config.codecs,
            session_id=self._random.getrandbits(31),
            ice=ice,
        )
        return Negotiation(call.number, opened.rtp, described, self._outbox, self._hold_memory)

    def media_event(self, call: Call, event: MediaEvent, now: float) -> None:
        match event:
            case DigitReceived(digit=digit):
                self._outbox.tell(messages.DigitReceived(call.number, digit))
            case DigitSent(digit=digit):
                self._outbox.tell(messages.DigitSent(call.number, digit))
            case Latched(source=source):
                line = f"call {call.number}: their sound comes from {source}"
                self._outbox.tell(messages.Logged(line, ""))
            case SoundMissing() | SoundBack() | ConsentLost() | PathFound():
                if call.rescuer is not None:
                    call.rescuer.media_event(event, now)
            case _:  # InjectionEnded
                self._outbox.tell(messages.FilePlaying(call.number, "", False))
