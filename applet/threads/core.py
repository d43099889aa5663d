"""The core thread: a thin shell around `phone.phone.Phone`.

Feed, send, carry out orders, hand out events, sleep until `next_timer()`."""

from queue import SimpleQueue

from applet.address import Address
from applet.phone.messages import Command, Event
from applet.threads.media import MediaThread


class BindError(OSError):
    """The SIP address cannot be bound. `in_use`: another program (or our second instance) has
    the port; otherwise the address is not one of this machine. `str()` is one plain line."""

    in_use: bool = False


class CoreThread:
    """`phone` and everything around it, on one thread. Never touch `phone` once it is started.

    What the core calls, besides the verbs that all our machines share: `phone.bound(address,
    now)` once, first of all, with our SIP address; `media_opened`, `media_event`,
    `media_statistics`, `audio_event`, `looked_up` as `phone.orders` says; with STUN servers also
    `phone.mapped(address | None, now)` for the SIP socket, while `media_opened` then brings the
    mapped addresses of the RTP sockets (after 300 ms at most, else the bound ones).

    `sip_bind`: UDP and TCP are both bound to it. Port 0 is any free port below 32768; with
    `next_free_port` the next free one is taken when it is in use. `[::1]` is `Address("::1", 0)`.
    `stun_servers`: asked for the mapped address of our sockets; empty contacts nobody.
    `events`: everything the phone says, in order, ending with `Stopped`. One reader.
    """

    def __init__(
        self,
        phone: object,
        media: MediaThread,
        sip_bind: Address,
        *,
        next_free_port: bool = False,
        stun_servers: tuple[Address, ...] = (),
    ) -> None:
        self.events: SimpleQueue[Event] = SimpleQueue()

    def start(self) -> Address:
        """Bind (in the calling thread) and start the core and the media thread. Returns our SIP
        address; puts `Ready` first on `events`. Raises BindError and leaves nothing behind."""
        raise BindError

    def submit(self, command: Command) -> None:
        """Any thread; carried out in order. Ignored after the end."""

    def stop(self) -> None:
        """Hang up, un-register, drain (2 s at most), stop the media thread, close the sockets,
        join. Idempotent, any thread but the core's; never hangs: 4 s at most."""
