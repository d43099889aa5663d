"""A name server of the test's own on loopback, with the records that a test gives it."""

import socket
import threading
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from applet.address import Address
from tests.support.ports import free_port


class DnsServer:
    """`asked` are the questions so far, as in `SRV _sip._udp.lab.example`. While `silent` is set
    it answers nothing, and never the questions in `unanswered`."""

    def __init__(self) -> None:
        self.address = Address("127.0.0.1", free_port())
        self.asked: list[str] = []
        self.silent = False
        self.unanswered: tuple[str, ...] = ()
        self._records: dict[tuple[dns.name.Name, dns.rdatatype.RdataType], list[str]] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def add(self, name: str, kind: str, *data: str) -> None:
        """Records of one name and kind, as in a zone file: `add("a.example", "A", "192.0.2.1")`."""
        key = dns.name.from_text(name), dns.rdatatype.from_text(kind)
        self._records[key] = list(data)

    def close(self) -> None:
        self._socket.sendto(b"", self.address)  # wakes it up
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, source = self._socket.recvfrom(4096)
            if not data:
                return
            query = dns.message.from_wire(data)
            question = query.question[0]
            kind = dns.rdatatype.to_text(question.rdtype)
            self.asked.append(f"{kind} {question.name.to_text(omit_final_dot=True)}")
            if not (self.silent or self.asked[-1] in self.unanswered):
                self._socket.sendto(self._answer(query).to_wire(), source)

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        question = query.question[0]
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        found = self._records.get((question.name, question.rdtype))
        if found is not None:
            answer.answer.append(
                dns.rrset.from_text_list(question.name, 5, "IN", question.rdtype, found)
            )
        elif not any(name == question.name for name, _ in self._records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
