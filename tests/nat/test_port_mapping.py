"""NAT-PMP and PCP on the wire."""

import struct

import pytest

from applet.address import Address
from applet.nat.port_mapping import (
    Granted,
    PortMappingError,
    external_address_request,
    nat_pmp_request,
    parse_external_address,
    parse_nat_pmp,
    parse_pcp_map,
    pcp_map_request,
)

NONCE = bytes(range(12))


def pcp_answer(result: int = 0, prefix: bytes = bytes(10) + b"\xff\xff") -> bytes:
    header = struct.pack("!BBBBII12x", 2, 0x81, 0, result, 600, 77)
    return header + NONCE + struct.pack("!BxxxHH", 17, 4000, 4001) + prefix + bytes([5, 5, 1, 2])


def pmp_answer(result: int = 0, internal: int = 4000) -> bytes:
    return struct.pack("!BBHIHHI", 0, 129, result, 77, internal, 4001, 600)


def test_nat_pmp_asks_for_the_outer_address() -> None:
    assert external_address_request() == b"\0\0"
    answer = b"\0\x80\0\0" + bytes(4) + bytes([5, 5, 1, 2])
    assert parse_external_address(answer) == "5.5.1.2"


def test_nat_pmp_maps_and_takes_away() -> None:
    assert nat_pmp_request(4000, 4001, 600) == bytes.fromhex("000100000fa00fa100000258")
    assert nat_pmp_request(4000, 4001, 0) == bytes.fromhex("000100000fa0000000000000")
    assert parse_nat_pmp(pmp_answer(), 4000, "5.5.1.2") == Granted(Address("5.5.1.2", 4001), 600)


def test_pcp_maps() -> None:
    request = pcp_map_request("192.168.1.2", NONCE, 4000, 4001, 600)
    assert len(request) == 60
    assert request[:8] == bytes([2, 1, 0, 0, 0, 0, 2, 0x58])
    assert request[20:24] == bytes([192, 168, 1, 2])
    assert request[24:36] == NONCE
    assert struct.unpack("!BxxxHH", request[36:44]) == (17, 4000, 4001)
    assert parse_pcp_map(pcp_answer(), NONCE, 4000) == Granted(Address("5.5.1.2", 4001), 600)


@pytest.mark.parametrize("cut", range(60))
def test_half_an_answer_is_none(cut: int) -> None:
    assert parse_pcp_map(pcp_answer()[:cut], NONCE, 4000) is None
    assert cut >= 16 or parse_nat_pmp(pmp_answer()[:cut], 4000, "") is None
    assert cut >= 12 or parse_external_address((b"\0\x80" + bytes(10))[:cut]) is None


def test_the_answer_to_another_question_is_none() -> None:
    assert parse_pcp_map(pcp_answer(), bytes(12), 4000) is None
    assert parse_pcp_map(pcp_answer(), NONCE, 4002) is None
    assert parse_pcp_map(pcp_answer(prefix=bytes(12)), NONCE, 4000) is None
    assert parse_pcp_map(b"\0" + pcp_answer()[1:], NONCE, 4000) is None
    assert parse_nat_pmp(pmp_answer(internal=4002), 4000, "") is None
    assert parse_nat_pmp(b"\2" + pmp_answer()[1:], 4000, "") is None
    assert parse_external_address(b"\0\x81" + bytes(10)) is None


@pytest.mark.parametrize(("result", "said"), [(2, "does not allow it"), (99, "error 99")])
def test_a_refusal_is_one_plain_line(result: int, said: str) -> None:
    with pytest.raises(PortMappingError, match=said):
        parse_nat_pmp(pmp_answer(result), 4000, "")
    with pytest.raises(PortMappingError, match="PCP error"):
        parse_pcp_map(pcp_answer(result), NONCE, 4000)
    with pytest.raises(PortMappingError):
        parse_external_address(b"\0\x80" + struct.pack("!H", result) + bytes(8))
