"""The early dialogs of a call out: each branch of a fork answers our one offer for itself (RFC 3261
section 13.2.1, RFC 6337 section 3.1). The branch that spoke last is heard; the one that picks up
counts."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.sdp.description import SdpError
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.sdp.offer_answer import Negotiated, OfferAnswer

_MOST = 16


class _Branch(NamedTuple):
    """`final`: the answer came reliably, so that a later one is none (RFC 3262 section 5)."""

    described: OfferAnswer
    body: bytes
    final: bool


class Branches:
    """`offer` is in the state LOCAL_OFFER until somebody has picked up."""

    __slots__ = ("_by_tag", "_heard")

    def __init__(self) -> None:
        self._by_tag: dict[str, _Branch] = {}
        self._heard: str | None = None

    def answered_early(
        self, offer: OfferAnswer, tag: str, body: bytes, final: bool
    ) -> Negotiated | None:
        """Take the answer of a provisional response. None if it cannot be used, or changes
        nothing: the same branch said the same before."""
        known = self._by_tag.get(tag)
        if known is not None and (known.final or known.body == body) and not final:
            return self._listen_to(tag, known.described)
        if known is None and len(self._by_tag) >= _MOST:
            return None
        described = offer.fork()
        try:
            described.receive_answer(body)
        except SdpError:
            return None
        self._by_tag[tag] = _Branch(described, body, final)
        self._heard = None
        return self._listen_to(tag, described)

    def _listen_to(self, tag: str, described: OfferAnswer) -> Negotiated | None:
        if self._heard == tag:
            return None
        self._heard = tag
        return described.negotiated

    @property
    def heard(self) -> str:
        """The tag of the branch that is heard; empty: there is none."""
        return self._heard or ""

    def of(self, tag: str) -> OfferAnswer | None:
        """Where an early dialog has got to; None if its answer is not final yet."""
        known = self._by_tag.get(tag)
        return known.described if known is not None and known.final else None

    def described(self) -> tuple[OfferAnswer, ...]:
        return tuple(branch.described for branch in self._by_tag.values())

    def listen_to(self, tag: str) -> None:
        """This branch has spoken by an offer of its own."""
        self._heard = tag

    def picked_up(self, offer: OfferAnswer, tag: str, body: bytes | None) -> OfferAnswer | None:
        """What counts from now on: a final early answer, or that of the 2xx, or in want of it the
        early one. None if there is none that can be used."""
        known = self._by_tag.get(tag)
        self._by_tag.clear()
        self._heard = None
        if known is not None and (known.final or body is None):
            return known.described
        if body is None:
            return None
        try:
            offer.receive_answer(body)
        except SdpError:
            return None
        return offer
