"""What follows for calls and the registration when the network, or what is known of it, changes."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from applet.nat.knowledge import Fact
    from applet.phone.account import Account
    from applet.phone.calls import Calls
    from applet.phone.network import Network
    from applet.phone.registrar import Registrar
    from applet.sip.events import Pinged, SeenElsewhere


class Moves:
    def __init__(
        self, network: Network, account: Account, registrar: Registrar, calls: Calls
    ) -> None:
        self._network = network
        self._account = account
        self._registrar = registrar
        self._calls = calls

    def fact(self, generation: int, fact: Fact, now: float) -> None:
        """From the threads."""
        self._network.surroundings.fact(generation, fact, now)
        self._learnt(now)

    def pinged(self, event: Pinged, now: float) -> None:
        """A server has answered, or not."""
        self._network.surroundings.pinged(event, now)
        self._learnt(now)
        if self._network.surroundings.take_moved():
            self._registrar.reroute(now)
            self._dial_elsewhere(now)

    def network_changed(self, now: float) -> None:
        """Look around, register from there, and offer the running calls their new place."""
        self._network.changed(now)
        server = self._account.server
        if server is not None:
            self._network.when_known(server, self._registrar.move, now)
        for call in self._calls.all():
            if call.rescuer is not None and call.live:
                call.rescuer.network_changed(now)

    def seen_elsewhere(self, event: SeenElsewhere, now: float) -> None:
        """From the endpoint."""
        self._network.surroundings.seen_elsewhere(event)
        self._tell_contact(now)

    def _tell_contact(self, now: float) -> None:
        """Whoever is to send us requests must know."""
        self._registrar.check_address(now)
        for call in self._calls.all():
            if call.rescuer is not None and call.live:
                call.rescuer.tell_contact(now)

    def _learnt(self, now: float) -> None:
        if self._network.surroundings.contacts.take_moved():
            self._tell_contact(now)
        else:
            self._registrar.check_address(now)

    def _dial_elsewhere(self, now: float) -> None:
        """Calls that wait for an answer from where nobody answers."""
        for call in self._calls.all():
            before = call.session
            if before is not None and call.dial_elsewhere(now):
                self._calls.follow(call, before)
                before.hang_up(now)
