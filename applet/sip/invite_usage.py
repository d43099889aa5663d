"""What a session is and remembers: its state, its dialogs, whose offer is open (RFC 5057 calls
this the invite usage of a dialog). What happens to it is `invite`."""

from __future__ import annotations

from abc import ABC, abstractmethod

from applet.hints import TYPE_CHECKING
from applet.sip.client_invite import MAX_FORKS
from applet.sip.dialog import Dialog
from applet.sip.session_table import NEXT, OfferState, SessionState, Step
from applet.sip.uri import SipUri

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.sip.authenticator import Authenticator
    from applet.sip.core import Core, Incoming
    from applet.sip.hop import Hop, Transport
    from applet.sip.message import Request, Response


class InviteUsage(ABC):
    """`dialog` is the one that counts: the caller's first 2xx, or the called side's from the
    beginning. Until that 2xx a caller may have several early ones (forking)."""

    __slots__ = (
        "_early",
        "authenticator",
        "call_id",
        "contact_user",
        "core",
        "dialog",
        "id",
        "local",
        "outgoing",
        "preferred",
        "remote",
        "request",
        "state",
    )

    def __init__(
        self,
        core: Core,
        request: Request,
        outgoing: bool,
        contact_user: str,
        preferred: Transport | None,
        authenticator: Authenticator | None,
    ) -> None:
        """`request` is the INVITE that begins it, ours or theirs. `preferred` is the transport
        for requests to a URI that does not name one."""
        self.core = core
        self.id = core.new_session_id()
        self.request = request
        self.outgoing = outgoing
        self.call_id = request.call_id
        self.local = request.from_ if outgoing else request.to
        self.remote = request.to if outgoing else request.from_
        self.contact_user = contact_user
        self.preferred = preferred
        self.authenticator = authenticator
        self.state = SessionState.IDLE if outgoing else SessionState.PROCEEDING
        self.dialog: Dialog | None = None
        self._early: dict[str, Dialog] = {}
        core.busy.add(self)

    # --- requests inside its dialogs (DialogUser)

    @abstractmethod
    def on_request(self, incoming: Incoming, now: float) -> None:
        """A request came that wants an answer."""

    @abstractmethod
    def on_ack(self, ack: Request, now: float) -> None:
        """An ACK to a 2xx of ours came."""

    # --- its state

    @property
    def offer_state(self) -> OfferState:
        """Of the dialog that counts; before there is one, our INVITE's offer is the open one."""
        if self.dialog is not None:
            return self.dialog.offer_state
        return OfferState.LOCAL_OFFER if self.request.body else OfferState.STABLE

    @offer_state.setter
    def offer_state(self, state: OfferState) -> None:
        assert self.dialog is not None  # without a dialog nobody answers
        self.dialog.offer_state = state

    def step(self, step: Step) -> bool:
        """Take one step of the table; False if it has no row for this, and nothing changed."""
        state = NEXT.get((self.state, step))
        if state is None:
            return False
        self.state = state
        if state is SessionState.ENDED:
            self._close()
        return True

    def _close(self) -> None:
        """It has ended: nothing of it stays behind."""
        self.forget_early()
        if self.dialog is not None:
            self._forget(self.dialog)
        self.core.busy.discard(self)
        self.core.keep_alive.release(self)

    # --- its way

    def keep_way(self, hop: Hop | None, now: float) -> None:
        """The other side's requests come back this way for as long as the call lasts."""
        if hop is not None:
            self.core.keep_alive.keep(self, hop, now)

    @abstractmethod
    def on_flow_lost(self, now: float) -> None:
        """The connection of this way is gone."""

    # --- its dialogs

    def _begin(self, incoming: Incoming) -> None:
        """The called side's dialog."""
        tag = incoming.transaction.to_tag
        self.dialog = Dialog.of_uas(incoming.request, tag, self.core.new_sequence())
        self.note_flow(incoming)
        self.local = self.dialog.local
        self.core.dialogs[self.dialog.id] = self

    def early(self, tag: str | None) -> Dialog | None:
        """The early dialog of the caller's with this tag of theirs."""
        return self._early.get(tag or "")

    def note_early(self, sent: Request, response: Response) -> None:
        """An early dialog of the caller's, if it is new."""
        tag = response.to.tag or ""
        if tag not in self._early and len(self._early) < MAX_FORKS:
            dialog = self._of_uac(sent, response)
            self._early[tag] = dialog
            self.core.dialogs[dialog.id] = self

    def _of_uac(self, sent: Request, response: Response) -> Dialog:
        dialog = Dialog.of_uac(sent, response)
        if sent.body:
            dialog.offer_state = OfferState.LOCAL_OFFER
        return dialog

    def confirm(self, sent: Request, response: Response) -> None:
        """The caller's first 2xx: its dialog is the one, all others are forgotten."""
        tag = response.to.tag or ""
        dialog = self._early.pop(tag, None) or self._of_uac(sent, response)
        self.forget_early()
        dialog.confirm(response)
        dialog.local_sequence = max(dialog.local_sequence, sent.cseq.number)
        self.dialog = dialog
        self.core.dialogs[dialog.id] = self
        self.remote = response.to

    def _forget(self, dialog: Dialog) -> None:
        dialog.terminate()
        self.core.dialogs.pop(dialog.id, None)
        self._early.pop(dialog.remote.tag or "", None)

    def forget_early(self) -> None:
        for dialog in list(self._early.values()):
            self._forget(dialog)

    def reroute(self, change: Callable[[SipUri], SipUri]) -> Callable[[], None]:
        """Send what comes next in the dialog another way: `change` gives the next hop's URI. Call
        what comes back to undo that; what the other side has told meanwhile stays."""
        dialog = self.dialog
        assert dialog is not None  # only a call that is up is rescued
        flow, route_set, target = dialog.flow, dialog.route_set, dialog.remote_target
        dialog.flow = None
        next_hop = dialog.next_hop
        if isinstance(next_hop, SipUri) and route_set:
            first, *rest = route_set
            dialog.route_set = (first._replace(uri=change(next_hop)), *rest)
        elif isinstance(next_hop, SipUri):
            dialog.remote_target = change(next_hop)
        changed = dialog.remote_target

        def undo() -> None:
            told = dialog.remote_target
            dialog.flow = flow if dialog.flow is None else dialog.flow
            dialog.route_set = route_set
            dialog.remote_target = target if told == changed else told

        return undo

    def note_flow(self, incoming: Incoming) -> None:
        """Remember the connection of a peer that speaks to us without anybody between."""
        if self.dialog is not None and not self.dialog.route_set:
            self.dialog.flow = incoming.source.flow
