"""What DNS and the system know of a name. Blocking: `threads.resolver` asks in its own threads.

Addresses come from the system (getaddrinfo), so that /etc/hosts and the names of a local network
work; NAPTR and SRV, which it cannot ask for, by dnspython.
"""

from __future__ import annotations

import socket

from applet.hints import TYPE_CHECKING, Any
from applet.sip.records import Naptr, Question, Record, Srv, Value

if TYPE_CHECKING:
    import dns.resolver

    from applet.address import Address

LIFETIME = 4.0
"""Seconds that the name servers have for one question; less than the resolver's limit."""


class NameServer:
    """`family` is that of our sockets: addresses of the other one are of no use. `server` in
    place of the system's own; what it does not know the system may."""

    def __init__(self, family: int, server: Address | None = None) -> None:
        self._family = family
        self._server = server

    def ask(self, question: Question) -> tuple[Value, ...]:
        """Everything there is, in no order; nothing is an empty answer. Raises OSError or
        UnicodeError for names that are none."""
        if question.kind is not Record.ADDRESS:
            return self._records(question.name, question.kind.name)
        found: tuple[Value, ...] = ()
        if self._server is not None:
            found = self._records(question.name, "AAAA" if self._is_six else "A")
        return found or self._system(question.name)

    @property
    def _is_six(self) -> bool:
        return self._family == socket.AF_INET6

    def _system(self, name: str) -> tuple[Value, ...]:
        found = socket.getaddrinfo(name, None, self._family, socket.SOCK_DGRAM)
        return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))

    def _records(self, name: str, kind: str) -> tuple[Value, ...]:
        import dns.exception  # 80 ms, and only for names that may have such records

        try:
            found = self._dns().resolve(
                name, kind, lifetime=LIFETIME, search=False, raise_on_no_answer=False
            )
        except dns.exception.DNSException:
            return ()
        return tuple(_value(record, kind) for record in found)

    def _dns(self) -> dns.resolver.Resolver:
        import dns.resolver

        asked = dns.resolver.Resolver(configure=self._server is None)
        if self._server is not None:
            asked.nameservers = [self._server.host]
            asked.port = self._server.port
        return asked


def _value(record: Any, kind: str) -> Value:
    if kind == "SRV":
        return Srv(record.priority, record.weight, record.port, _name(record.target))
    if kind == "NAPTR":
        return Naptr(
            record.order,
            record.preference,
            record.flags.decode("ascii", "replace"),
            record.service.decode("ascii", "replace"),
            _name(record.replacement),
        )
    return str(record.address)


def _name(name: object) -> str:
    """In lower case, without the dot at its end; the root is empty."""
    return str(name).lower().rstrip(".")
