"""Practises a call before there is one.

The interpreter runs faster what it has run before (PEP 659), and many a look-up is remembered. So
a phone without a socket calls nobody a few times, and nothing of it leaves: the first real call
goes as the twentieth.
"""

from __future__ import annotations

from applet.address import Address
from applet.hints import TYPE_CHECKING
from applet.nat.strategy import DIRECT, OpenedWay
from applet.phone.config import PhoneConfig
from applet.phone.messages import Dial
from applet.phone.phone import Phone

if TYPE_CHECKING:
    from applet.randomness import Randomness
    from applet.sip.hop import Datagram

TIMES = 12
"""Calls after which nothing gets faster any more; half a millisecond each."""
_HERE = Address("127.0.0.1", 5060)
_WAY = OpenedWay(DIRECT, _HERE._replace(port=4000), _HERE._replace(port=4001))
_NOBODY = "sip:nobody@127.0.0.1:5062"


def rehearse(random: Randomness) -> None:
    for _ in range(TIMES):
        call_nobody(random)


def call_nobody(random: Randomness) -> list[Datagram]:
    """The INVITE that would leave."""
    phone = Phone(PhoneConfig(other_addresses=True), random, lambda host: _HERE.host)
    phone.bound(_HERE, 0.0)
    phone.handle(Dial(_NOBODY, confirmed=True), 0.0)
    phone.orders()
    phone.media_opened(1, _WAY, 0.0)
    return phone.datagrams_to_send()
