"""What DNS says about a SIP domain (RFC 3263 section 4), and the order in which it is tried.

NAPTR names the services that a domain offers, SRV the servers of a service (RFC 2782), A and AAAA
their addresses. Asking is the business of `threads.resolver`; here are the values.
"""

from __future__ import annotations

from itertools import accumulate

from applet.enums import Enum
from applet.hints import TYPE_CHECKING
from applet.sip.hop import Transport
from applet.value import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from applet.randomness import Randomness


class Record(Enum):
    NAPTR = "NAPTR"
    SRV = "SRV"
    ADDRESS = "A, AAAA"


class Question(NamedTuple):
    """`name` in lower case, without a dot at its end."""

    kind: Record
    name: str


class Naptr(NamedTuple):
    """`service` as in `SIP+D2U`; `replacement` is the name of SRV records."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


class Srv(NamedTuple):
    """`target` "" says that the service is decidedly not offered (in DNS: a lone dot)."""

    priority: int
    weight: int
    port: int
    target: str


Value = Naptr | Srv | str
"""An address is an IP literal."""

SERVICES = {
    "SIP+D2U": Transport.UDP,
    "SIP+D2T": Transport.TCP,
    "SIPS+D2T": Transport.TLS,
}
_SRV_PREFIX = {Transport.UDP: "_sip._udp", Transport.TCP: "_sip._tcp", Transport.TLS: "_sips._tcp"}


def srv_name(transport: Transport, domain: str) -> str:
    return f"{_SRV_PREFIX[transport]}.{domain}"


def services(records: Iterable[Naptr], wanted: Iterable[Transport]) -> list[tuple[Transport, str]]:
    """The services that we can use, the domain's favourite first, each with the name of its SRV
    records (section 4.1). Only the flag "s" leads to SRV records."""
    usable = tuple(wanted)
    found = [
        (SERVICES[record.service.upper()], record.replacement)
        for record in sorted(records, key=lambda record: record[:2])
        if record.flags.lower() == "s" and SERVICES.get(record.service.upper()) in usable
    ]
    return list(dict.fromkeys(found))


def in_order(records: Iterable[Srv], random: Randomness) -> list[Srv]:
    """RFC 2782: the lowest priority first; among equals each is drawn with a probability of its
    weight, and those of weight 0 hardly ever before the others."""
    ordered: list[Srv] = []
    left = sorted(records, key=lambda record: (record.priority, record.weight))
    while left:
        group = [record for record in left if record.priority == left[0].priority]
        totals = accumulate(record.weight for record in group)
        drawn = random.random() * sum(record.weight for record in group)
        chosen = next(record for record, total in zip(group, totals, strict=True) if total >= drawn)
        ordered.append(chosen)
        left.remove(chosen)
    return ordered
