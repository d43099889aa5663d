"""One call's side of offer/answer for one audio stream: RFC 3264, with the RTP profile of RFC 3551.

Bodies in, bodies and `Negotiated` out. Other streams, and other RTP profiles than RTP/AVP and
RTP/AVPF, are refused with port 0 in their place. The seam for SRTP: `_PROFILE`, `_refusal` and
`_audio_media` are where a profile is offered, judged and answered.
"""

from __future__ import annotations

from functools import lru_cache

from applet.address import Address
from applet.enums import Enum
from applet.sdp.agreement import (
    COMFORT_NOISE,
    TELEPHONE_EVENT,
    Negotiated,
    NoCommonCodec,
    agree,
    in_common,
    nothing_yet,
    what_they_allow,
)
from applet.sdp.description import (
    ALWAYS,
    STATIC_CODECS,
    Attribute,
    Codec,
    Direction,
    Media,
    Origin,
    SdpError,
    SessionDescription,
    is_ip_literal,
    is_unspecified,
    parse_sdp,
)
from applet.sdp.ice import IceSide, Place
from applet.value import NamedTuple

__all__ = [
    "Codec",
    "Direction",
    "LocalProtocolError",
    "Negotiated",
    "NoCommonCodec",
    "OfferAnswer",
    "SdpError",
    "State",
]

_PROFILE = "RTP/AVP"
_SAME_ON_THE_WIRE = (_PROFILE, "RTP/AVPF")
"""The feedback profile (RFC 4585) allows earlier RTCP and demands nothing."""
_BY_NAME = {codec.name: codec for codec in reversed(STATIC_CODECS.values())}
_DYNAMIC = range(96, 128)
UNSPECIFIED = "0.0.0.0"
_PLAIN = ("PCMU", "PCMA")


class LocalProtocolError(RuntimeError):
    """A verb was used in a state in which it makes no sense: a bug in the caller."""


class State(Enum):
    STABLE = "stable"
    LOCAL_OFFER = "local offer"
    REMOTE_OFFER = "remote offer"


class _Offer(NamedTuple):
    """Ours, waiting for its answer."""

    direction: Direction
    formats: tuple[Codec, ...]
    local: Address


class _RemoteOffer(NamedTuple):
    """Theirs, waiting for our answer; `audio` is the index of the stream we take, None if the
    streams are to come later."""

    description: SessionDescription
    audio: int | None


class OfferAnswer:
    """::

                       create_offer                     receive_offer
                    ┌───────────────► LocalOffer     ┌───────────────► RemoteOffer
        Stable ─────┤                     │          │                     │
           ▲        └─────────────────────┼──────────┘                     │
           ├── receive_answer, offer_failed                                │
           └── create_answer, reject_offer ────────────────────────────────┘

    A verb out of its state raises LocalProtocolError. SdpError comes from what the peer said and
    leaves the agreement of before as it was: after a bad offer the state stays Stable, and a bad
    answer ends our offer.
    """

    def __init__(
        self,
        local: Address,
        rtcp_port: int,
        codecs: tuple[str, ...],
        session_id: int,
        dtmf: bool = True,
        comfort_noise: bool = True,
        ptime: int = 20,
        ice: IceSide | None = None,
    ) -> None:
        """`local`: where we receive RTP; `codecs`: encoding names, best first; `ptime` in ms; `ice`
        None: offers with ICE get a plain answer."""
        self.state = State.STABLE
        self.negotiated: Negotiated | None = None
        self._wanted = tuple(_known_codec(name) for name in codecs)
        if comfort_noise:
            self._wanted += (COMFORT_NOISE,)
        if dtmf:
            self._wanted += (TELEPHONE_EVENT,)
        self._ptime = ptime
        self._numbers: dict[str, int] = {}
        self._rtcp_mux = False  # agreed; never in a first offer of ours (RFC 5761 section 5.1.3)
        self._profile = _PROFILE
        self._time = ALWAYS
        self._slots: tuple[Media, ...] = ()
        self._audio = 0
        self._offer = _Offer(Direction.SENDRECV, (), local)
        self._remote_offer: _RemoteOffer | None = None
        self._ice = ice
        self._local, self._rtcp_port = _shown(local), rtcp_port
        self._session_id = session_id
        self._origin_host = self._local.host
        self._version = 0
        self._last_sent: tuple[str, tuple[Media, ...], str] | None = None

    def set_local(
        self, local: Address, rtcp_port: int, places: tuple[Place, ...] | None = None
    ) -> None:
        """Where we receive from the next description on; `places`: the same for ICE. The checks of
        ICE begin anew, if the address is the same too."""
        self._local, self._rtcp_port = _shown(local), rtcp_port
        if self._ice is not None:
            here = Place("srflx", self._local, self._local._replace(port=rtcp_port))
            self._ice.moved(places or (here,))

    def keep_local(self, local: Address, rtcp_port: int) -> None:
        """What `set_local` said was refused: it is as it was before."""
        self._local, self._rtcp_port = _shown(local), rtcp_port
        if self._ice is not None:
            self._ice.stayed()

    # --- our offer ----------------------------------------------------------------------------

    def create_offer(self, direction: Direction, hidden: bool = False) -> bytes:
        """The same offer as before has the same version; any change raises it by one. `hidden`
        shows 0.0.0.0 in place of our address: RFC 2543's way to hold (RFC 3264 section 8.4)."""
        self._require(State.STABLE)
        formats = self._formats()
        audio = self._audio_media(formats, direction, answering=False)
        slots = list(self._slots) or [audio]
        slots[self._audio] = audio
        self._offer = _Offer(direction, formats, self._local)
        self.state = State.LOCAL_OFFER
        return self._describe(slots, UNSPECIFIED if hidden else self._local.host)

    def simplify(self) -> bool:
        """Offer G.711 and nothing else from now on: the least that anybody takes. False if that
        is what was offered before."""
        plain = tuple(codec for codec in self._wanted if codec.name in _PLAIN)
        changed = bool(plain) and plain != self._wanted
        if changed:
            self._wanted = plain
        return changed

    def fork(self) -> OfferAnswer:
        """The same with a life of its own, for one early dialog: each branch of a fork may answer
        the one offer of the INVITE (RFC 3261 section 13.2.1)."""
        from copy import copy  # here: it costs the start a millisecond, and only forks need it

        branch = copy(self)
        branch._numbers = dict(self._numbers)
        branch._ice = copy(self._ice)
        return branch

    def receive_answer(self, body: bytes) -> Negotiated:
        self._require(State.LOCAL_OFFER)
        self.state = State.STABLE
        self.negotiated = self._read_answer(body)._replace(local_rtp=self._offer.local)
        return self.negotiated

    def receive_no_answer(self) -> Negotiated | None:
        """Our offer was taken without a description: what was agreed before goes on (None: nothing
        was), and we hear where the offer has said."""
        self.offer_failed()
        before = self.negotiated
        self.negotiated = before and before._replace(local_rtp=self._offer.local)
        return self.negotiated

    def offer_failed(self) -> None:
        """Our offer was refused or never answered; what was agreed before goes on."""
        self._require(State.LOCAL_OFFER)
        self.state = State.STABLE

    def _read_answer(self, body: bytes) -> Negotiated:
        description = parse_sdp(body)
        media = self._answered_audio(description)
        direction = description.direction(media)
        if media.port == 0:
            return self._switched_off(held=self._offer.direction.sends)
        if media.protocol.upper() not in _SAME_ON_THE_WIRE:
            raise SdpError(f"the answer changes the profile to {media.protocol}")
        if media.connection is None:
            raise SdpError("the answer has no c= line")
        if not self._can_reach(media, description):
            raise SdpError(f"nothing can be sent from {self._local.host} to {media.connection}")
        common = in_common(media.codecs(self._offer.formats), self._offer.formats)
        if not common:
            raise NoCommonCodec("the answer names no codec that we offered")
        refuses = not direction.receives or is_unspecified(media.connection)
        # An answer to an offer that sends nothing cannot tell whether they hold us.
        held = refuses if self._offer.direction.sends else self._held
        agreed = self._offer.direction & what_they_allow(media, direction)
        negotiated = agree(media, common, self._offer.formats, agreed, held, self._rtcp_mux)
        self._rtcp_mux = negotiated.rtcp_mux
        if self._ice is not None:
            negotiated = negotiated._replace(ice=self._ice.answered(description, media))
        return negotiated

    def _answered_audio(self, description: SessionDescription) -> Media:
        """Ours by its place, or else the first one: too few or too many media are forgiven."""
        candidates = (*description.media[self._audio : self._audio + 1], *description.media)
        for media in candidates:
            if media.kind == "audio":
                return media
        raise SdpError("the answer has no audio")

    # --- their offer --------------------------------------------------------------------------

    def receive_offer(self, body: bytes) -> None:
        """NoCommonCodec (a SdpError) if the offer holds nothing that we can do."""
        self._require(State.STABLE)
        description = parse_sdp(body)
        self._remote_offer = _RemoteOffer(description, self._choose(description))
        self.state = State.REMOTE_OFFER

    def create_answer(self, direction: Direction) -> tuple[bytes, Negotiated]:
        """`direction` is what we want; the answer holds as much of it as the offer allows."""
        self._require(State.REMOTE_OFFER)
        assert self._remote_offer is not None
        description, index = self._remote_offer
        self._time = description.time  # section 6
        self.state = State.STABLE
        if index is None:
            self.negotiated = nothing_yet(self._wanted, self._ptime)
            return self._describe([], self._local.host), self.negotiated
        offered = description.media[index]
        if offered.port == 0:
            answered = _refused(offered)
            negotiated = self._switched_off(held=True)
        else:
            answered, negotiated = self._accept(description, offered, direction)
        slots = [_refused(media) for media in description.media]
        slots[index] = answered
        self._slots, self._audio = tuple(slots), index
        self.negotiated = negotiated._replace(local_rtp=self._local)
        return self._describe(slots, self._local.host), self.negotiated

    def reject_offer(self) -> None:
        """Their offer was answered with an error; what was agreed before goes on."""
        self._require(State.REMOTE_OFFER)
        self.state = State.STABLE

    def _choose(self, description: SessionDescription) -> int | None:
        """The first usable stream, or the one in use that they switch off with port 0. A call may
        begin without streams, when somebody brings two parties together (section 5)."""
        if not (description.media or (self._last_sent and self._last_sent[1])):
            return None
        problems = []
        for index, media in enumerate(description.media):
            problem = self._refusal(media, description)
            if problem is None:
                return index
            problems.append(problem)
        if self.negotiated is not None and _is_switched_off(description.media, self._audio):
            return self._audio
        raise NoCommonCodec("; ".join(problems[:4]) or "the offer has no media")

    def _refusal(self, media: Media, description: SessionDescription) -> str | None:
        """Why this stream cannot be taken; None if it can."""
        if media.kind != "audio":
            return f"{media.kind} is not audio"
        if media.port == 0:
            return "the audio is switched off"
        if media.protocol.upper() not in _SAME_ON_THE_WIRE:
            return f"{media.protocol} is not {_PROFILE}"
        if media.connection is None:
            return "the audio has no c= line"
        if not self._can_reach(media, description):
            return f"nothing can be sent from {self._local.host} to {media.connection}"
        if not in_common(media.codecs(), self._wanted):
            return "the audio has no codec of ours"
        return None

    def _accept(
        self, description: SessionDescription, offered: Media, wanted: Direction
    ) -> tuple[Media, Negotiated]:
        their_direction = description.direction(offered)
        common = in_common(offered.codecs(), self._wanted)
        agreed = wanted & what_they_allow(offered, their_direction)
        self._numbers.update((codec.name, codec.payload_type) for codec in common)
        held = not their_direction.receives or is_unspecified(offered.connection or "")
        negotiated = agree(offered, common, common, agreed, held, rtcp_mux=True)
        self._rtcp_mux = negotiated.rtcp_mux
        self._profile = offered.protocol.upper()
        if self._ice is not None:
            negotiated = negotiated._replace(ice=self._ice.offered(description, offered))
        return self._audio_media(common, agreed, answering=True), negotiated

    # --- both ---------------------------------------------------------------------------------

    def _can_reach(self, media: Media, description: SessionDescription) -> bool:
        """Our socket sends to addresses of its own family. ICE may find one of those; and who shows
        one for another stream has both, so that we hear where the sound comes from."""
        six = ":" in self._local.host
        shown = {":" in one.connection for one in description.media if one.connection}
        ice = self._ice is not None and media.value("candidate") is not None
        return six in shown or ice or is_unspecified(media.connection or "")

    @property
    def _held(self) -> bool:
        return self.negotiated is not None and self.negotiated.held_by_them

    def _require(self, state: State) -> None:
        if self.state is not state:
            raise LocalProtocolError(f"this needs the state {state.value}, not {self.state.value}")

    def _switched_off(self, *, held: bool) -> Negotiated:
        """By port 0; the codecs are kept for the day it is switched on again."""
        if self.negotiated is None:
            raise NoCommonCodec("the answer refuses the audio")
        return self.negotiated._replace(
            remote_rtp=None,
            remote_rtcp=None,
            direction=Direction.INACTIVE,
            held_by_them=held or self.negotiated.held_by_them,
        )

    def _formats(self) -> tuple[Codec, ...]:
        """What we offer; a number once agreed on keeps its meaning (RFC 3264 section 8.3.2)."""
        reserved = set(self._numbers.values())
        formats: dict[int, Codec] = {}
        for codec in self._wanted:
            agreed = self._numbers.get(codec.name)
            number = codec.payload_type if agreed is None else agreed
            if number in formats or (agreed is None and number in reserved):
                number = next(n for n in _DYNAMIC if n not in reserved and n not in formats)
            same = number == codec.payload_type
            formats[number] = codec if same else codec._replace(payload_type=number)
        return tuple(formats.values())

    def _audio_media(
        self, formats: tuple[Codec, ...], direction: Direction, answering: bool
    ) -> Media:
        attributes = [attribute for codec in formats for attribute in _attributes(codec)]
        attributes.append(Attribute("ptime", str(self._ptime)))
        if self._rtcp_port != self._local.port + 1:
            attributes.append(Attribute("rtcp", str(self._rtcp_port)))
        if self._rtcp_mux:
            attributes.append(Attribute("rtcp-mux"))
        if self._ice is not None:
            attributes.extend(self._ice.attributes(self._rtcp_mux, answering))
        attributes.append(Attribute(direction.value))
        numbers = tuple(str(codec.payload_type) for codec in formats)
        return Media("audio", self._local.port, self._profile, numbers, None, tuple(attributes))

    def _describe(self, media: list[Media], host: str) -> bytes:
        content = (host, tuple(media), self._time)
        if content != self._last_sent:
            self._version += 1
            self._last_sent = content
        origin = Origin("-", str(self._session_id), str(self._version), self._origin_host)
        return SessionDescription(origin, host, (), content[1], self._time).encode()


def _shown(local: Address) -> Address:
    host = local.host.partition("%")[0]
    if not is_ip_literal(host) or is_unspecified(host):
        raise LocalProtocolError(f"{local.host!r} cannot be told to a peer as our address")
    return Address(host, local.port)


def _known_codec(name: str) -> Codec:
    codec = _BY_NAME.get(name.upper())
    if codec is None:
        raise LocalProtocolError(f"no payload type is known for {name!r}")
    return codec


@lru_cache(maxsize=64)
def _attributes(codec: Codec) -> tuple[Attribute, ...]:
    """What every description says of this codec."""
    rtpmap = Attribute("rtpmap", _rtpmap(codec))
    if not codec.fmtp:
        return (rtpmap,)
    return rtpmap, Attribute("fmtp", f"{codec.payload_type} {codec.fmtp}")


def _rtpmap(codec: Codec) -> str:
    channels = f"/{codec.channels}" if codec.channels > 1 else ""
    return f"{codec.payload_type} {codec.name}/{codec.clock_rate}{channels}"


def _refused(media: Media) -> Media:
    return Media(media.kind, 0, media.protocol, media.formats[:1])


def _is_switched_off(media: tuple[Media, ...], index: int) -> bool:
    return index < len(media) and media[index].kind == "audio" and media[index].port == 0
