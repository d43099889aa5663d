"""What a phone and its calls have to say, in order."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from applet.phone.messages import Event
    from applet.phone.orders import Order


class Outbox:
    """Events for whoever drives the phone, orders for the threads."""

    __slots__ = ("_events", "_orders")

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._orders: list[Order] = []

    def tell(self, event: Event) -> None:
        self._events.append(event)

    def order(self, order: Order) -> None:
        self._orders.append(order)

    def take_events(self) -> list[Event]:
        taken, self._events = self._events, []
        return taken

    def take_orders(self) -> list[Order]:
        taken, self._orders = self._orders, []
        return taken
