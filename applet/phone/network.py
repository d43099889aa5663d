"""Which way a call will take, and what has to be known before.

Whoever is on this machine or in our own network is reached as we are bound. For everybody else
there are the `surroundings`, which are made when they are first needed.
"""

from __future__ import annotations

from applet.address import Address
from applet.hints import TYPE_CHECKING
from applet.nat.hosts import is_near

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.nat.strategy import Plan, Way
    from applet.phone.account import Account
    from applet.phone.config import NatConfig
    from applet.phone.outbox import Outbox
    from applet.phone.surroundings import Surroundings
    from applet.sip.endpoint import Endpoint
    from applet.sip.headers import NameAddr
    from applet.sip.uri import SipUri

CALL_WAIT = 0.3
"""Seconds an INVITE waits for what is not known yet."""
REGISTER_WAIT = 6.0
"""Seconds a REGISTER may wait: nobody stands beside it."""
_LOOPBACK = ("127.0.0.1", "::1")


class Network:
    """`local` is where SIP is bound. Its verbs are `Phone`'s, on the same thread."""

    def __init__(
        self,
        config: NatConfig,
        endpoint: Endpoint,
        account: Account,
        outbox: Outbox,
        local_ip_for: Callable[[str], str],
        in_call: Callable[[], bool],
    ) -> None:
        self.local = Address("", 0)
        self._config = config
        self._endpoint = endpoint
        self._account = account
        self._outbox = outbox
        self._local_ip_for = local_ip_for
        self._in_call = in_call
        self._surroundings: Surroundings | None = None

    @property
    def surroundings(self) -> Surroundings:
        if self._surroundings is None:
            from applet.phone.surroundings import Surroundings

            self._surroundings = Surroundings(
                self._config,
                self._endpoint,
                self._account,
                self._outbox,
                self._identity,
                self.local_towards,
                self._in_call,
            )
        return self._surroundings

    def begin(self, now: float) -> None:
        """SIP is bound, or the network is another one: look around, if there is somebody to
        ask."""
        config, home = self._config, self._account.server
        if config.mode == "none":
            return
        away = home if home is not None and self._is_away(home) else None
        if away is not None or config.stun or config.relays or config.credentials_url:
            self.surroundings.begin(away, now)

    def changed(self, now: float) -> None:
        """Another network: nothing that was known counts any more."""
        if self._surroundings is not None:
            self._surroundings.forget()
        self.begin(now)

    def when_known(
        self, target: SipUri, then: Callable[[float], None], now: float, wait: float = CALL_WAIT
    ) -> None:
        """Call `then(now)` when the way to `target` is known: at once if it is, else as soon as it
        is, after `wait` seconds at the latest."""
        if self._is_away(target):
            self.surroundings.when_known(target, then, now, wait)
        else:
            then(now)

    def plan_towards(self, target: SipUri) -> Plan:
        """With what is known now."""
        from applet.nat.strategy import NO_NAT  # already imported, but for a call at once

        return self.surroundings.plan_towards(target) if self._is_away(target) else NO_NAT

    def ways_towards(self, host: str) -> tuple[Way, ...]:
        """For a call with somebody at `host`, who called us."""
        from applet.nat.strategy import NO_NAT

        return self.surroundings.ways_of_calls() if self._is_far(host) else NO_NAT.ways

    def steer(self, uri: SipUri) -> SipUri:
        """`uri` over the transport and to the port on which its server answers."""
        return self.surroundings.steer(uri) if self._is_away(uri) else uri

    def tell_way(self, way: Way, server: SipUri | None) -> None:
        """A call with `server`, or with who it calls as a rule, goes this way."""
        if self._surroundings is not None:
            self._surroundings.tell_way(way, server)

    def local_towards(self, host: str) -> Address:
        """Where SIP is bound, as `host` would see it without a router."""
        bound = self.local
        if bound.host not in ("", "0.0.0.0", "::"):
            return bound
        return Address(self._local_ip_for(host), bound.port)

    def next_timer(self) -> float | None:
        return None if self._surroundings is None else self._surroundings.next_timer()

    def handle_timers(self, now: float) -> None:
        if self._surroundings is not None:
            self._surroundings.handle_timers(now)

    def _identity(self, host: str) -> NameAddr:
        return self._account.identity(host, self.local)

    def _is_away(self, uri: SipUri) -> bool:
        return self._is_far(uri.param("maddr") or uri.host)

    def _is_far(self, host: str) -> bool:
        """Whether there may be a router in between, and we may ask about it."""
        near = is_near(host) or self.local.host in _LOOPBACK
        return self._config.mode != "none" and not near
