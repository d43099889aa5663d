"""What the media thread answers and tells, on its way to the call that it is about."""

from applet.address import Address
from applet.media.events import (
    DigitReceived,
    DigitSent,
    Latched,
    MediaEvent,
    PathFound,
    SoundBack,
    SoundMissing,
)
from applet.phone import messages
from applet.phone.call import Call
from applet.phone.calls import Calls
from applet.phone.config import PhoneConfig
from applet.phone.hold import HoldMemory
from applet.phone.ice import ice_side
from applet.phone.negotiation import Negotiation
from applet.phone.network import Network
from applet.phone.orders import CloseMedia
from applet.phone.outbox import Outbox
from applet.phone.rescuer import Opened, Rescuer
from applet.randomness import Randomness
from applet.sdp.offer_answer import OfferAnswer


class MediaAnswers:
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

    def opened(
        self,
        call: int,
        opened: Opened | None,
        bound: tuple[Address, Address] | None,
        now: float,
    ) -> None:
        """None: no sockets could be bound. `bound`: see `Phone.media_opened`."""
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
            negotiation = self._negotiation(wanted, opened, bound)
            self._network.tell_way(opened.way, wanted.server)
        wanted.media_opened(negotiation, now)
        if wanted.session is not None:
            self._calls.bind(wanted, wanted.session)

    def _negotiation(
        self, call: Call, opened: Opened, bound: tuple[Address, Address] | None
    ) -> Negotiation:
        ice = None
        if self._config.nat.mode != "none":
            ice = ice_side(self._random, opened.way, (opened.rtp, opened.rtcp), bound)
        described = OfferAnswer(
            opened.rtp,
            opened.rtcp.port,
            self._config.codecs,
            session_id=self._random.getrandbits(31),
            ice=ice,
        )
        return Negotiation(call.number, opened.rtp, described, self._outbox, self._hold_memory)

    def happened(self, call: Call, event: MediaEvent, now: float) -> None:
        match event:
            case DigitReceived(digit=digit):
                self._outbox.tell(messages.DigitReceived(call.number, digit))
            case DigitSent(digit=digit):
                self._outbox.tell(messages.DigitSent(call.number, digit))
            case Latched(source=source):
                line = f"call {call.number}: their sound comes from {source}"
                self._outbox.tell(messages.Logged(line, ""))
            case PathFound(remote=remote):
                proof = f"The other side offered ICE, and its checks found the way to {remote}."
                self._outbox.tell(messages.NatFound("ice", proof))
            case SoundMissing() | SoundBack():
                if call.rescuer is not None:
                    call.rescuer.media_event(event, now)
            case _:  # InjectionEnded
                self._outbox.tell(messages.FilePlaying(call.number, "", False))
